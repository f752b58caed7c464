/**
 * Keeps web pages away (T5): a page whose name was re-bound to this address shows in `Host`, a page of another site in
 * `Origin`. Both are checked before anything else on every request, whatever the route.
 */
import { DeniedError } from "../../core/errors.ts";
import type { ServerSettings } from "../schema.ts";
import { Refusal } from "./respond.ts";

interface Rules {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
  readonly publicHost: string | undefined;
  /** The last `Host` that passed: nearly every request repeats it. */
  passed: string | undefined;
}

const loopbackNames = ["localhost", "127.0.0.1", "[::1]"];
const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/;
const addressPattern = /^(\[[0-9a-f:.]+\]|\d{1,3}(\.\d{1,3}){3})$/;

/**
 * @param listenHost the address the server is bound to
 * @param tunnelHost another name, asked for per request
 * @returns a check that gives the origin when it is of another site that may come in, and throws otherwise:
 *   `Refusal` 400 for a missing or malformed `Host`, `DeniedError` FORBIDDEN for a host or origin that is not allowed
 */
export function createOriginGuard(
  listenHost: string,
  tunnelHost: () => string | undefined = () => undefined,
): (headers: Headers, settings: ServerSettings) => string | undefined {
  const ownName = bracketed(listenHost.toLowerCase());
  // Rebinding needs a name. Where the gateway is meant to be reached from outside, its addresses are not known here.
  const anyAddress = !loopbackNames.includes(ownName);
  const known = new WeakMap<ServerSettings, Rules>();

  function rulesOf(settings: ServerSettings): Rules {
    let rules = known.get(settings);
    if (rules === undefined) {
      const publicHost = settings.public_url === undefined ? undefined : new URL(settings.public_url).host;
      const names = [...loopbackNames, ownName, ...settings.allowed_hosts.map((host) => host.toLowerCase())];
      rules = {
        hosts: new Set(publicHost === undefined ? names : [...names, publicHost, nameOf(publicHost)]),
        origins: new Set(settings.allowed_origins.map((origin) => origin.toLowerCase().replace(/\/$/, ""))),
        publicHost,
        passed: undefined,
      };
      known.set(settings, rules);
    }
    return rules;
  }

  function checkHost(host: string | null, rules: Rules): void {
    if (host === null || host === "") throw new Refusal(400, 'The request has no "Host" header');
    const lower = host.toLowerCase();
    const name = nameOf(lower);
    // Not remembered: it counts no longer than the tunnel is open.
    if (name === tunnelHost()) return;
    if (!rules.hosts.has(name) && !rules.hosts.has(lower)) {
      // Two headers arrive joined by a comma, which no host has.
      if (!hostPattern.test(lower)) throw new Refusal(400, 'The "Host" header is not one host name with a port');
      if (!(anyAddress && addressPattern.test(name)))
        throw new DeniedError("FORBIDDEN", `Host "${name}" is not a name of this gateway`, {
          hint: `If it is one, add "${name}" to server.allowed_hosts`,
        });
    }
    rules.passed = host;
  }

  return (headers, settings) => {
    const rules = rulesOf(settings);
    const host = headers.get("host");
    if (host === null || host !== rules.passed) checkHost(host, rules);
    const origin = headers.get("origin");
    if (origin === null) return undefined;
    const lowerHost = host?.toLowerCase();
    const lower = origin.toLowerCase();
    const site = /^https?:\/\/([^/?#@,\s]+)$/.exec(lower)?.[1];
    if (site !== undefined && (site === lowerHost || site === rules.publicHost)) return undefined;
    if (rules.origins.has(lower)) return origin;
    throw new DeniedError("FORBIDDEN", `Origin "${origin.slice(0, 200)}" may not use this gateway`, {
      hint: "If a web page of that origin shall use it, add the origin to server.allowed_origins",
    });
  };
}

function nameOf(host: string): string {
  const colon = host.lastIndexOf(":");
  const port = host.slice(colon + 1);
  const hasPort =
    colon >= 0 && port !== "" && port.length <= 5 && [...port].every((digit) => digit >= "0" && digit <= "9");
  return hasPort ? host.slice(0, colon) : host;
}

function bracketed(address: string): string {
  return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}

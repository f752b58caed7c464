/** `backends.<name>.secrets`: their values filled in, and rules about where they can go; loaded for the files that have any. */
import { shortestSecret } from "../lib/redact.ts";
import type { Environment } from "../runtime/process.ts";
import { headerValue } from "../stages/secrets/sent-secret.ts";
import { headerProblem } from "../upstreams/http/request-head.ts";
import type { Findings } from "./backends.ts";
import { type Path, withValueAt } from "./path.ts";
import type { ParsedBackend, ParsedConfig } from "./schema.ts";

type Secret = NonNullable<ParsedBackend["secrets"]>[number];

const references = /\{env\.(\w+)\}|\{keychain\.([\w.@-]+)\}/g;
/** A keychain that is locked may ask somebody who is not there. */
const keychainMs = 10_000;
/** A secret that took the place of one of these would break the transport itself. */
const ownHeader =
  /^(?:accept|content-type|host|last-event-id|mcp-(?:session-id|protocol-version|method|name|param-.*)|sec-websocket-.*)$/;

/** A copy with every `{env.VAR}` and `{keychain.NAME}` replaced. What belongs to a backend that is switched off is left alone. */
export async function resolveInjected(config: ParsedConfig, env: Environment, found: Findings): Promise<ParsedConfig> {
  let resolved = config;
  for (const [name, backend] of Object.entries(config.backends)) {
    if (!backend.enabled) continue;
    for (const [at, secret] of (backend.secrets ?? []).entries()) {
      const path: Path = ["backends", name, "secrets", at];
      const value = await filledIn(secret.value, env, [...path, "value"], found);
      if (value === undefined) continue;
      resolved = withValueAt(resolved, [...path, "value"], value);
      if (value.length < shortestSecret)
        found.warnings.push({
          path: [...path, "value"],
          text: `has less than ${shortestSecret} characters: it cannot be taken out of what the server says`,
        });
      const known = found.problems.length;
      for (const { http_url } of backend.replicas ?? [backend])
        if (found.problems.length === known) checkPlace({ ...secret, value }, { ...backend, http_url }, path, found);
    }
  }
  return resolved;
}

/** `undefined` when something is missing, which is said. */
async function filledIn(text: string, env: Environment, path: Path, found: Findings): Promise<string | undefined> {
  const refuse = (what: string): undefined => {
    found.problems.push({ path, text: what });
  };
  let value = "";
  let from = 0;
  for (const { 0: whole, 1: variable, 2: item, index } of text.matchAll(references)) {
    const part = variable === undefined ? await fromKeychain(item as string, env) : env[variable];
    if (!part && variable === undefined) return refuse(`refers to "${item}" of the keychain, where it is not found`);
    if (!part) {
      const state = part === "" ? "empty" : "not set";
      return refuse(`refers to the environment variable "${variable}", which is ${state}`);
    }
    value += text.slice(from, index) + part;
    from = index + whole.length;
  }
  value += text.slice(from);
  return value === "" ? refuse("must not be empty") : value;
}

async function fromKeychain(item: string, env: Environment): Promise<string | undefined> {
  const { readKeychain } = await import("../capabilities/keychain.ts");
  // Without a keychain there is no item in it.
  return readKeychain(item, env, AbortSignal.timeout(keychainMs)).catch(() => undefined);
}

function checkPlace(secret: Secret, backend: ParsedBackend, path: Path, found: Findings): void {
  const refuse = (key: keyof Secret, text: string): void => {
    found.problems.push({ path: [...path, key], text });
  };
  const { inject_as, inject_key, tools } = secret;
  if (inject_as === "argument") return;
  const { http_url: address } = backend;
  if (address === undefined) {
    refuse("inject_as", 'works only with "http_url": a program has no headers or address, so use "argument"');
    return;
  }
  if (/^wss?:/i.test(address) && tools.length > 0 && !tools.includes("*"))
    refuse("tools", 'must be ["*"]: a WebSocket has headers and an address only when it is opened, for all tools');
  if (/^unix:/i.test(address) && !address.slice("unix://".length).includes(":/"))
    refuse(
      "inject_as",
      'needs an HTTP server on the socket: name its path in "http_url", as "unix:///run/x.sock:/mcp"',
    );
  if (inject_as === "query") return;
  const name = inject_key.toLowerCase();
  if (ownHeader.test(name)) refuse("inject_key", "is a header of the transport itself: choose another one");
  else if (name === "authorization" && backend.oauth?.enabled === true)
    refuse("inject_key", 'is the header in which "oauth" of the backend sends its token: keep one of them');
  const problem = headerProblem(name, headerValue(secret));
  if (problem !== undefined) refuse("inject_key", `cannot be sent as a header: ${problem}`);
}

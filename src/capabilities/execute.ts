/** Runs a capability of service `rest`: one HTTP request, and the redirects that stay at its origin. */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Environment } from "../runtime/process.ts";
import { credentialOf } from "./auth.ts";
import type { Capability } from "./capability.ts";
import { Refusal } from "./refusal.ts";
import { buildRequest, type HttpRequest } from "./request.ts";
import { toolResult } from "./response.ts";
import type { CheckTarget } from "./ssrf.ts";

const maxRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * A `CallToolResult`.
 * @param args checked against `capability.input`
 * @throws Refusal when the API was not asked or gave no usable answer, or the signal's reason
 */
export async function execute(
  capability: Capability,
  args: JsonObject,
  env: Environment,
  checkTarget: CheckTarget,
  signal: AbortSignal,
): Promise<JsonObject> {
  const credential = await credentialOf(capability.auth, env);
  const request = buildRequest(capability.rest, { args, declared: capability.declared, env }, credential);
  const secrets = capability.variables.map((name) => env[name]);
  if (credential !== undefined) secrets.push(credential.value, credential.value.split(" ").at(-1), credential.secret);
  return toolResult(capability, await send(request, checkTarget, signal), (text) => scrub(text, secrets));
}

async function send(request: HttpRequest, checkTarget: CheckTarget, signal: AbortSignal): Promise<Response> {
  let url = parseUrl(request.url);
  let { method, body, headers } = request;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    await checkTarget(url);
    let response: Response;
    try {
      response = await fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : new Refusal(`Cannot reach "${url.host}": ${reasonOf(error)}`);
    }
    const location = response.headers.get("location");
    if (location === null || !redirects.includes(response.status)) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    if (next === undefined || next.origin !== url.origin)
      throw new Refusal(
        `"${url.host}" redirects to ${next === undefined ? "an invalid address" : `"${next.origin}"`}, which is not followed`,
        "If that is where the API moved, change base_url or endpoint of the capability",
      );
    url = next;
    // As browsers do it; 307 and 308 keep method and body.
    if (response.status === 303 || (response.status < 303 && method === "POST")) {
      method = method === "HEAD" ? "HEAD" : "GET";
      body = undefined;
      const { "content-type": _, ...rest } = headers;
      headers = rest;
    }
  }
  throw new Refusal(`"${url.host}" redirects more than ${maxRedirects} times`);
}

function parseUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new Refusal("The address of this capability is not a valid URL", "Check its host name and the arguments in it");
}

/** A code only: the message of a failed `fetch` may hold the whole URL, and with it a key. */
function reasonOf(error: unknown): string {
  for (const each of [error, error instanceof Error ? error.cause : undefined])
    if (isJsonObject(each) && typeof each["code"] === "string") return each["code"];
  return "the connection failed";
}

function scrub(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text;
  for (const secret of secrets)
    if (secret) clean = clean.replaceAll(secret, "[redacted]").replaceAll(encodeURIComponent(secret), "[redacted]");
  return clean;
}

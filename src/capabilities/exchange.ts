/** One HTTP request and its answer, with the redirects that stay at its origin. */
import { ByteCollector } from "../lib/byte-collector.ts";
import { isJsonObject } from "../lib/json.ts";
import { fetchFrom } from "../runtime/pinned-fetch.ts";
import { Refusal } from "./refusal.ts";
import type { HttpRequest } from "./request.ts";
import { excerpt, type RawAnswer } from "./response.ts";
import type { CheckTarget } from "./ssrf.ts";

const maxRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];
const maxResponseBytes = 16_777_216;
const maxErrorBytes = 8_192;
/** Of these statuses the same request may have another one a moment later. */
const transient: readonly number[] = [408, 429, 500, 502, 503, 504];

export interface HttpAnswer extends RawAnswer {
  /** The Link header. */
  readonly link: string;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/**
 * @param scrub takes secrets out of what the API said before a part of it is shown
 * @throws Refusal when the API cannot be reached or its status is not 2xx, or the signal's reason
 */
export async function exchange(
  request: HttpRequest,
  checkTarget: CheckTarget,
  scrub: (text: string) => string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { response, url } = await send(request, checkTarget, signal);
  try {
    if (!response.ok) throw await rejection(response, scrub);
    const { bytes, isCut } = await readBody(response, maxResponseBytes);
    if (isCut) throw new Refusal(`The API's answer is larger than ${maxResponseBytes} bytes`, "Ask for less at once");
    const mimeType = (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
    return { bytes, mimeType, link: response.headers.get("link") ?? "", url };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (signal.aborted) throw signal.reason;
    throw new Refusal(`"${url.host}" broke off its answer: ${reasonOf(error)}`, undefined, {
      outcome: "unanswered",
      isTransient: true,
    });
  }
}

async function rejection(response: Response, scrub: (text: string) => string): Promise<Refusal> {
  const { status } = response;
  const { bytes } = await readBody(response, maxErrorBytes);
  return new Refusal(`The API answered HTTP ${status}`, excerpt(new TextDecoder().decode(bytes), { scrub }), {
    // What is refused for its rate was not carried out.
    outcome: status === 429 ? "unsent" : status === 408 || status >= 500 ? "unanswered" : "answered",
    isTransient: transient.includes(status) && status !== 500,
    waitMs: waitOf(response.headers.get("retry-after")),
    isKeyRejected: status === 401,
  });
}

function waitOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const waitMs = /^\d{1,6}$/.test(retryAfter.trim()) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

async function send(request: HttpRequest, checkTarget: CheckTarget, signal: AbortSignal) {
  let url = parseUrl(request.url);
  let { method, body, headers } = request;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const addresses = (await checkTarget(url)) ?? [undefined];
    const response = await connect(url, addresses, { method, headers, body: body ?? null, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (location === null || !redirects.includes(response.status)) return { response, url };
    await response.body?.cancel();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    if (next === undefined || next.origin !== url.origin)
      throw new Refusal(
        `"${url.host}" redirects to ${next === undefined ? "an invalid address" : `"${next.origin}"`}, which is not followed`,
        "If that is where it moved, name that address instead",
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

/** Tries one address after the other, as long as nothing was sent. */
async function connect(url: URL, addresses: readonly (string | undefined)[], init: RequestInit): Promise<Response> {
  for (const [at, address] of addresses.entries()) {
    try {
      return await fetchFrom(url, address, init);
    } catch (error) {
      if (init.signal?.aborted) throw init.signal.reason;
      const isUnsent = neverConnected(error);
      if (isUnsent && at + 1 < addresses.length) continue;
      throw new Refusal(`Cannot reach "${url.host}": ${reasonOf(error)}`, undefined, {
        outcome: isUnsent ? "unsent" : "unanswered",
        isTransient: true,
      });
    }
  }
  throw new Refusal(`"${url.host}" has no address`);
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

/** Codes of Bun, Node and Deno for a connection that never stood. */
function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  const text = `${reasonOf(error)} ${error instanceof Error ? error.message : ""} ${cause}`;
  return /ConnectionRefused|FailedToOpenSocket|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|onnection refused|dns error/.test(
    text,
  );
}

async function readBody(response: Response, maxBytes: number): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  const collected = new ByteCollector();
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    collected.append(part.value);
    if (collected.byteLength <= maxBytes) continue;
    await reader?.cancel();
    return { bytes: collected.take().subarray(0, maxBytes), isCut: true };
  }
  return { bytes: collected.byteLength === 0 ? new Uint8Array(0) : collected.take(), isCut: false };
}

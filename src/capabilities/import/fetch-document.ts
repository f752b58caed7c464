/** Documents on the web, held to the same rules as a capability's own requests (T11). */
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { exchange } from "../exchange.ts";
import { Refusal } from "../refusal.ts";
import type { CheckTarget } from "../ssrf.ts";

/** As JSON; YAML has the limit of every YAML file. */
export const maxDocumentBytes = 16 * maxYamlBytes;
const timeoutMs = 30_000;

export interface FetchedPage {
  readonly text: string;
  readonly mimeType: string;
  /** The Link header. */
  readonly link: string;
  /** After redirects, which stay at the origin. */
  readonly url: URL;
}

export interface FetchOptions {
  readonly checkTarget: CheckTarget;
  /** 30 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** {@link maxDocumentBytes} by default. */
  readonly maxBytes?: number;
  /** JSON to send by POST. */
  readonly body?: string;
}

/** @throws Refusal */
export async function fetchPage(url: string, options: FetchOptions): Promise<FetchedPage> {
  const { body, checkTarget, maxBytes = maxDocumentBytes } = options;
  const headers = {
    accept: "application/json, application/yaml, */*;q=0.5",
    "user-agent": "mcp-gateway",
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const request = { method: body === undefined ? "GET" : "POST", url, headers, body };
  const limitMs = options.timeoutMs ?? timeoutMs;
  const timeout = AbortSignal.timeout(limitMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    const { bytes, mimeType, link, url: found } = await exchange(request, checkTarget, (text) => text, signal);
    if (bytes.byteLength > maxBytes) throw new Refusal(`The document is larger than ${maxBytes} bytes`);
    return { text: new TextDecoder().decode(bytes), mimeType, link, url: found };
  } catch (error) {
    if (!timeout.aborted) throw error;
    const message = `"${new URL(url).host}" did not answer within ${limitMs / 1_000} s`;
    throw new Refusal(message, undefined, { outcome: "unanswered" });
  }
}

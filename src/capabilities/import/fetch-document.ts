/** The text of a document on the web, held to the same rules as a capability's own requests (T11). */
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { exchange } from "../exchange.ts";
import { Refusal } from "../refusal.ts";
import type { CheckTarget } from "../ssrf.ts";

const timeoutMs = 30_000;

/** @throws Refusal */
export async function fetchDocument(
  url: string,
  checkTarget: CheckTarget,
  maxBytes = maxDocumentBytes,
): Promise<string> {
  const headers = { accept: "application/json, application/yaml, */*;q=0.5", "user-agent": "mcp-gateway" };
  const request = { method: "GET", url, headers, body: undefined };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { bytes } = await exchange(request, checkTarget, (text) => text, signal);
    if (bytes.byteLength > maxBytes) throw new Refusal(`The document is larger than ${maxBytes} bytes`);
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (signal.aborted) throw new Refusal(`"${new URL(url).host}" did not answer within ${timeoutMs / 1_000} s`);
    throw error;
  }
}

/** As JSON; YAML has the limit of every YAML file. */
export const maxDocumentBytes = 16 * maxYamlBytes;

/**
 * What of a tool's result the gateway vouches for, as one text that whoever verifies can make again. The README says the
 * same in words for those who do it without this program.
 */
import { canonicalJson } from "../lib/canonical-json.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Answer } from "./answer.ts";

export const signatureKey = "mcp-gateway/signature";
export const provenanceKey = "mcp-gateway/provenance";

/** Of the connection to the client, which adds it for clients of 2026-07-28 and nobody else. */
const ofConnection = "io.modelcontextprotocol/serverInfo";

interface SignedFacts {
  readonly server: string;
  readonly tool: string;
  readonly nonce: string;
  /** Seconds since 1970. */
  readonly ts: number;
  readonly key_id: string;
}

/** What {@link signatureKey} has besides the nonce, the time and the name of the key. */
export interface ResultSignature extends Pick<SignedFacts, "nonce" | "ts" | "key_id"> {
  readonly alg: "HS256";
  /** HMAC-SHA-256 of {@link signedText}, in hexadecimal. */
  readonly sig: string;
  /** The same with the key before the last change. */
  readonly previous_sig?: string | undefined;
}

export function signedText(facts: SignedFacts, result: JsonObject): string {
  const { server, tool, nonce, ts, key_id } = facts;
  return canonicalJson({ server, tool, nonce, ts, key_id, result: without(result, [signatureKey]) });
}

/** What a receipt says it is about: the result before the gateway signed anything. */
export function receivedText(result: JsonObject): string {
  return canonicalJson(without(result, [signatureKey, provenanceKey]));
}

/** Whether it is what the tool did, and not a question of its server (2026-07-28) or a task that only began. */
export function isFinal({ value }: Answer): boolean {
  const { resultType = "complete", task } = value;
  return resultType === "complete" && task === undefined;
}

/** As it is whatever revision the client speaks. */
function without({ resultType, _meta, ...members }: JsonObject, keys: readonly string[]): JsonObject {
  const rest = resultType === undefined || resultType === "complete" ? members : { ...members, resultType };
  if (!isJsonObject(_meta)) return _meta === undefined ? rest : { ...rest, _meta };
  const meta = Object.entries(_meta).filter(([key]) => key !== ofConnection && !keys.includes(key));
  return meta.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(meta) };
}

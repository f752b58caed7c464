/**
 * Entries that hold on to each other: each has the hash of the one before, so that none can be changed, left out or moved
 * without all that follow. With a secret each is signed as well, and nobody without it can write the chain anew.
 */
import { isJsonObject, type Json, stableJson } from "../../lib/json.ts";
import { equalDigests, hmacSha256Hex, sha256, sha256Hex } from "../../runtime/digest.ts";

/** One call. Arguments, results and session ids are in it as digests only. */
export interface CallFacts {
  readonly timestamp: string;
  readonly request_id: string;
  /** {@link sessionDigest} of the session's id. */
  readonly session: string | null;
  readonly principal: string;
  readonly caller: string;
  /** By its own token, or as its requests say; absent where neither says. */
  readonly agent?: string;
  readonly server: string;
  readonly method: string;
  readonly tool: string | null;
  /** `OK`, or the code of the error: the verdict of the policies. */
  readonly outcome: string;
  readonly request_sha256: string;
  readonly response_sha256: string | null;
  /** Of the tool's definition as clients saw it. */
  readonly definition_sha256: string | null;
  readonly duration_ms: number;
}

export interface Entry extends CallFacts {
  /** 1 for the first entry of a file. */
  readonly counter: number;
  readonly key_id: string;
  readonly previous_hash: string;
  /** SHA-256 of the canonical JSON of everything above. */
  readonly hash: string;
  /** HMAC-SHA256 of {@link hash}; `undefined` in a record that is not signed. */
  readonly hmac?: string | undefined;
}

export interface Link {
  readonly counter: number;
  readonly hash: string;
}

/** What comes before the first entry. */
export const beginning: Link = { counter: 0, hash: "0".repeat(64) };

export function nextEntry(facts: CallFacts, before: Link, keyId: string, secret: string): Entry {
  const body = { counter: before.counter + 1, ...facts, key_id: keyId, previous_hash: before.hash };
  const hash = sha256Hex(stableJson(body));
  return secret === "" ? { ...body, hash } : { ...body, hash, hmac: hmacSha256Hex(secret, hash) };
}

/** The entry of a line, and whether its own hash is right; `undefined` when the line is none. */
export function readEntry(line: string): { entry: Entry; isIntact: boolean } | undefined {
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || typeof value["hash"] !== "string" || typeof value["counter"] !== "number")
    return undefined;
  const { hash, hmac: _signature, ...body } = value;
  return { entry: value as unknown as Entry, isIntact: sha256Hex(stableJson(body)) === hash };
}

export type Verdict =
  | { readonly ok: true; readonly entries: number; readonly mode: "hash" | "hash + HMAC" }
  | { readonly ok: false; readonly counter: number; readonly reason: string };

/** Holds the lines of a record against each other and, with a secret, against it. */
export async function verifyChain(lines: AsyncIterable<string> | Iterable<string>, secret: string): Promise<Verdict> {
  let before = beginning;
  const failed = (reason: string): Verdict => ({ ok: false, counter: before.counter + 1, reason });
  for await (const line of lines) {
    const read = readEntry(line);
    if (read === undefined) return failed("the line is no entry");
    const { entry, isIntact } = read;
    if (entry.counter !== before.counter + 1)
      return failed(`an entry is missing or moved: its counter is ${entry.counter}`);
    if (entry.previous_hash !== before.hash) return failed("it does not follow the entry before");
    if (!isIntact) return failed("its content was changed");
    if (secret === "" && entry.hmac !== undefined)
      return failed("the record is signed: set security.transparency_log.shared_secret to verify it");
    if (secret !== "" && !isSigned(entry, secret))
      return failed(`its signature is ${entry.hmac === undefined ? "missing" : "wrong"}`);
    before = entry;
  }
  return { ok: true, entries: before.counter, mode: secret === "" ? "hash" : "hash + HMAC" };
}

function isSigned({ hash, hmac }: Entry, secret: string): boolean {
  return hmac !== undefined && equalDigests(sha256(hmac), sha256(hmacSha256Hex(secret, hash)));
}

/** How a session is named in the record: whoever reads it cannot take the session over. */
export function sessionDigest(sessionId: string): string {
  return sha256Hex(sessionId).slice(0, 32);
}

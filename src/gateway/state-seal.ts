/**
 * What clients of 2026-07-28 keep between two requests leaves the gateway under a seal (HMAC-SHA-256) over it and what
 * it belongs to. The key outlives the process, so that a restart between question and answer is not noticed.
 */
import type { Seal } from "../clients/modern/seal.ts";
import { equalDigests, hmacSha256 } from "../runtime/digest.ts";
import { readText, writeAtomic } from "../runtime/files.ts";
import { randomToken } from "../runtime/random.ts";

const keyBytes = 32;
const keyPattern = /^[\w-]{43}$/;
const sealPattern = /^([\w-]{43})\.(.*)$/s;

/**
 * @param path file of the key, made when there is none; `undefined` keeps it in memory
 * @param onProblem called when the key cannot be kept, and then holds for this process alone
 */
export function createStateSeal(path: string | undefined, onProblem: (error: unknown) => void): Seal {
  let loading: Promise<string> | undefined;

  async function load(): Promise<string> {
    const fresh = randomToken(keyBytes);
    if (path === undefined) return fresh;
    const kept = (await readText(path, 1_024).catch(() => "")).trim();
    if (keyPattern.test(kept)) return kept;
    await writeAtomic(path, fresh, { mode: 0o600 }).catch(onProblem);
    return fresh;
  }

  async function macOf(text: string, binding: string): Promise<Uint8Array> {
    loading ??= load();
    // The length keeps the two apart: no text of one ends as the beginning of the other.
    return hmacSha256(await loading, `${text.length}.${text}.${binding}`);
  }

  return {
    async seal(text, binding) {
      return `${Buffer.from(await macOf(text, binding)).toString("base64url")}.${text}`;
    },
    async open(sealed, binding) {
      const [, mac = "", text = ""] = sealPattern.exec(sealed) ?? [];
      const isOurs = equalDigests(Buffer.from(mac, "base64url"), await macOf(text, binding));
      return isOurs ? text : undefined;
    },
  };
}

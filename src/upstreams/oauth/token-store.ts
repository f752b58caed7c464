/**
 * What OAuth servers gave us for each backend, on disk: encrypted, one file for each, named by a digest. Other processes
 * (a second gateway, `mcp-gateway auth`) write there too, so whoever is about to renew a token looks first.
 */
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { readText, removeFile, writeAtomic } from "../../runtime/files.ts";
import { randomToken } from "../../runtime/random.ts";
import { decryptText, encryptText } from "../../runtime/secret-box.ts";

export interface SavedAccess {
  /** As the server registered us, with the address its answers go to. */
  readonly client?: JsonObject | undefined;
  readonly redirectUrl?: string | undefined;
  /** RFC 6749 5.1, stamped with its issuer. */
  readonly tokens?: JsonObject | undefined;
  /** Calendar time in milliseconds at which the access token ends, where the server said. */
  readonly expiresAt?: number | undefined;
}

export interface TokenStore {
  /** Empty when there is nothing, or nothing that can be read. */
  load(): Promise<SavedAccess>;
  /** Keeps it at least in memory. */
  save(access: SavedAccess): Promise<void>;
  remove(): Promise<void>;
}

export interface TokenStoreOptions {
  /** `undefined` keeps everything in memory. */
  readonly directory: string | undefined;
  /** Of the backend: tokens of one name must not go to another address. */
  readonly server: string;
  readonly url: string;
  /** Text that stands for the key; without it one is made and kept beside the tokens. */
  readonly key?: string | undefined;
  onProblem(error: unknown): void;
}

const maxFileBytes = 262_144;
const formatVersion = 1;

export function createTokenStore({ directory, server, url, key, onProblem }: TokenStoreOptions): TokenStore {
  const path = directory === undefined ? undefined : `${directory}/${sha256Hex(`${server}\0${url}`)}_tokens.json`;
  let memory: SavedAccess = {};

  async function keyText(): Promise<string> {
    if (key !== undefined) return key;
    const keyPath = `${directory}/key`;
    const kept = (await readText(keyPath, 1_024).catch(() => "")).trim();
    if (/^[\w-]{43}$/.test(kept)) return kept;
    const fresh = randomToken(32);
    await writeAtomic(keyPath, fresh, { mode: 0o600 });
    return fresh;
  }

  return {
    async load() {
      if (path === undefined) return memory;
      try {
        const file: unknown = JSON.parse(await readText(path, maxFileBytes));
        if (!isJsonObject(file) || file["version"] !== formatVersion) return memory;
        const value: unknown = JSON.parse(decryptText(String(file["sealed"]), await keyText()));
        return isJsonObject(value) ? (value as SavedAccess) : memory;
      } catch {
        // None yet, or under another key: a login makes new ones.
        return memory;
      }
    },
    async save(access) {
      memory = access;
      if (path === undefined) return;
      try {
        const sealed = encryptText(JSON.stringify(access), await keyText());
        await writeAtomic(path, JSON.stringify({ version: formatVersion, server, sealed }), { mode: 0o600 });
      } catch (error) {
        onProblem(error);
      }
    },
    async remove() {
      memory = {};
      if (path !== undefined) await removeFile(path);
    },
  };
}

/** Whether the access token ends within that time. One whose end nobody told is taken to last. */
export function endsWithin({ expiresAt }: SavedAccess, ms: number, calendar: () => number): boolean {
  return expiresAt !== undefined && expiresAt - calendar() <= ms;
}

/** The bearer token, the API keys and the users of one configuration, as digests with the callers they stand for. */
import type { Caller } from "../../core/caller.ts";
import { principalOf } from "../../gateway/principals.ts";
import { equalDigests, sha256 } from "../../runtime/digest.ts";
import type { AuthSettings } from "../schema.ts";

export interface KeyHolder {
  readonly caller: Caller;
  /** Requests per minute; 0 means no limit. */
  readonly ratePerMinute: number;
}

export interface KeyTable {
  /** Compares with every key, in a time that tells nothing of them (T21). */
  find(digest: Uint8Array): KeyHolder | undefined;
}

export function createKeyTable(auth: AuthSettings): KeyTable {
  const entries: { digest: Uint8Array; holder: KeyHolder }[] = [];
  // `auto` is replaced by a token when the gateway starts; it must never be one itself.
  if (auth.bearer_token !== undefined && auth.bearer_token !== "auto")
    entries.push({ digest: sha256(auth.bearer_token), holder: bearerHolder(auth.bearer_token) });
  for (const key of auth.api_keys)
    entries.push({
      digest: sha256(key.key),
      holder: { caller: callerOf(key, "key", principalOf("key", key.key)), ratePerMinute: key.rate_limit },
    });
  for (const user of auth.users) {
    const credentials = `${user.name}:${user.password}`;
    entries.push({
      digest: sha256(basicToken(credentials)),
      holder: { caller: callerOf(user, "user", principalOf("user", credentials)), ratePerMinute: user.rate_limit },
    });
  }
  return {
    find(digest) {
      let found: KeyHolder | undefined;
      for (const entry of entries) if (equalDigests(entry.digest, digest)) found ??= entry.holder;
      return found;
    },
  };
}

/** What stands for a name and a password where tokens are looked up: with a blank, which no token has. */
export function basicToken(credentials: string): string {
  return `basic ${credentials}`;
}

const unlimited = { backends: undefined, allowedTools: undefined, deniedTools: undefined };

function bearerHolder(token: string): KeyHolder {
  const caller = { principal: principalOf("bearer", token), name: "bearer", admin: true, ...unlimited };
  return { caller, ratePerMinute: 0 };
}

/** Who comes without a token where `auth.public_paths` lets them: may use everything there, is told little, is no admin. */
export const publicCaller: Caller = { principal: "public", name: "public", admin: false, ...unlimited };

function callerOf(key: Omit<AuthSettings["api_keys"][number], "key">, kind: "key" | "user", principal: string): Caller {
  return {
    principal,
    name: key.name || principal.slice(0, 12),
    admin: key.admin,
    backends: key.backends.length === 0 || key.backends.includes("*") ? undefined : key.backends,
    allowedTools: key.allowed_tools,
    deniedTools: key.denied_tools,
    // A key without a name says nothing of who has it.
    ...(key.name !== "" && { identity: { issuer: undefined, subject: `${kind}:${key.name}`, name: key.name } }),
    ...(key.profile !== undefined && { boundProfile: key.profile }),
  };
}

/** The identities that sessions are bound to: one per credential, so that sessions end with theirs. */
import { anonymousCaller } from "../core/caller.ts";
import type { AuthSettings } from "../doors/schema.ts";
import { sha256Hex } from "../runtime/digest.ts";

/** Tells one credential from another and nothing of either. */
export function principalOf(kind: "bearer" | "key", secret: string): string {
  return `${kind}:${sha256Hex(secret).slice(0, 32)}`;
}

/** Who may hold a session while these settings are in force. The client on stdio owns the process and always may. */
export function principalsOf({ enabled, bearer_token, api_keys }: AuthSettings): ReadonlySet<string> {
  if (!enabled) return new Set(["stdio", anonymousCaller.principal]);
  const principals = new Set(["stdio", "public"]);
  if (bearer_token !== undefined) principals.add(principalOf("bearer", bearer_token));
  for (const { key } of api_keys) principals.add(principalOf("key", key));
  return principals;
}

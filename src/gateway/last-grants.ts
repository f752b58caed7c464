/** Where the file of grants cannot be read any more, and that is to end nothing, the grants that were read last go on. */
import type { Config } from "../config/schema.ts";

/** `next`, with the grants of `before` where its own are lost: a file that was never read has none to go on with. */
export function withLastGrants(next: Config, before: Config): Config {
  const isSameFile = next.security.identity_grants.path === before.security.identity_grants.path;
  if (next.grants !== "unreadable" || before.grants === undefined || !isSameFile) return next;
  return { ...next, grants: before.grants };
}

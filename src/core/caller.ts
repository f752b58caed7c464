/** Who is asking, as the doors established it. Every decision about permission reads this and nothing else. */

export interface Caller {
  /** Stable identity that sessions are bound to: `anonymous`, `public`, `stdio`, or `bearer:` or `key:` and the digest of it. */
  readonly principal: string;
  /** Name for logs and statistics; never a secret. */
  readonly name: string;
  /** May call operator tools and see details of other callers' servers. */
  readonly admin: boolean;
  /** Names of backends this caller may see and call; `undefined` means all. */
  readonly backends: readonly string[] | undefined;
  /** Globs on `tool` or `server:tool`; `undefined` means all. */
  readonly allowedTools: readonly string[] | undefined;
  /** Globs on `tool` or `server:tool`, applied after {@link allowedTools}; `undefined` means none. */
  readonly deniedTools: readonly string[] | undefined;
}

/** The caller when authentication is off: the machine's own user, who owns the gateway. */
export const anonymousCaller: Caller = {
  principal: "anonymous",
  name: "anonymous",
  admin: true,
  backends: undefined,
  allowedTools: undefined,
  deniedTools: undefined,
};

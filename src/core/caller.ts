/** Who is asking, as the doors established it. Every decision about permission reads this and nothing else. */

export interface Caller {
  /**
   * Stable identity that sessions are bound to: `anonymous`, `public`, `stdio`, or a kind and a digest: of the credential
   * (`bearer:`, `key:`, `user:`), or of who it is issued to (`jwt:`, `cert:`, `agent:`).
   */
  readonly principal: string;
  /** Name for logs and statistics; never a secret. */
  readonly name: string;
  /** Has the role `admin`: may call operator tools and see details of other callers' servers. */
  readonly admin: boolean;
  /** A lesser role; read both by `roleOf`. Absent means none. */
  readonly role?: "viewer" | "operator" | undefined;
  /** Names of backends this caller may see and call; `undefined` means all. */
  readonly backends: readonly string[] | undefined;
  /** Globs on names of backends, applied after {@link backends}; absent means none. */
  readonly deniedBackends?: readonly string[] | undefined;
  /** Globs on `tool` or `server:tool`; `undefined` means all. */
  readonly allowedTools: readonly string[] | undefined;
  /** Globs on `tool` or `server:tool`, applied after {@link allowedTools}; `undefined` means none. */
  readonly deniedTools: readonly string[] | undefined;
  /** What a tool must satisfy besides all patterns, for credentials that say more than patterns can; absent, nothing. */
  readonly permits?: ((server: string, tool: string) => boolean) | undefined;
  /** Which agent calls: by its own token, or as the request says where `security.agent_identity` lets it say so. */
  readonly agent?: string | undefined;
  /** What may be told of the caller to others; absent for those who are nobody in particular. */
  readonly identity?: CallerIdentity | undefined;
  /** Calendar milliseconds at which the credential ends by itself; absent for those that do not. */
  readonly validUntil?: number;
  /** What was granted to the identity, where that is asked for; `undefined` leaves all. */
  readonly grants?: GrantedUse | undefined;
  /** Name of the routing profile the caller is bound to; only an admin can leave it. */
  readonly boundProfile?: string | undefined;
  /** What the routing profile of the session leaves of all that; `undefined` leaves all. */
  readonly profile?: ProfileScope | undefined;
  /** Which capabilities are there in the state of the session; `undefined` hides none. */
  readonly view?: ToolView | undefined;
}

export interface GrantedUse {
  /** Whether something of the server is granted, or this tool of it. Goes by the grants of the moment. */
  allow(server: string, tool?: string): boolean;
  /** Whom a grant would have to name, and the file it would have to be in. */
  readonly missing: { readonly subject: string; readonly path: string };
}

export interface ToolView {
  readonly state: string;
  /** Why a tool is not there: another owns it, or the state. */
  hides(server: string, tool: string): "owner" | "state" | undefined;
}

/** Who a caller is beyond the gateway: nothing in it is secret. */
export interface CallerIdentity {
  /** Issuer of the caller's token; `undefined` for those whom the configuration names. */
  readonly issuer: string | undefined;
  /** The issuer's word for the caller; else a kind and a name, as `user:ada`. */
  readonly subject: string;
  /** For people to read. */
  readonly name?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  /** In lower case, and only where the issuer vouches for it. */
  readonly email?: string | undefined;
}

/**
 * What a client showed with its request and a server behind may be meant to get. Lives as long as the request, or the
 * connection it came with; all of it are getters, so that nothing that writes a call down writes them.
 */
export interface Credentials {
  /** The verified token of an issuer by which the caller came in; `undefined` for all other credentials. */
  readonly token: string | undefined;
  /** What the client sends for this backend alone, as a value of `Authorization`. */
  passthrough(server: string): string | undefined;
  /** Tells one {@link passthrough} from another and nothing of either. */
  digest(server: string): string | undefined;
}

/** Globs on backends, and on `tool` or `server:tool`; what is denied stays denied whatever is allowed. */
export interface ProfileScope {
  readonly name: string;
  /** `undefined` means all, here and in {@link allowTools}. */
  readonly allowBackends: readonly string[] | undefined;
  readonly denyBackends: readonly string[] | undefined;
  readonly allowTools: readonly string[] | undefined;
  readonly denyTools: readonly string[] | undefined;
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

/**
 * Whom a capability is for, as its file says: sessions in certain states, or one person. It goes with the tool in its
 * `_meta`, so that lists kept on disk have it too; of other servers nothing is taken for the gateway's word.
 */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Caller } from "./caller.ts";
import { DeniedError } from "./errors.ts";

/** The state of a session that was never given one, and of requests without a session. */
export const defaultState = "default";

export interface Audience {
  /** States in which it is there; empty means all. */
  readonly states: readonly string[];
  /** Whose it is alone. */
  readonly owner?: Owner | undefined;
}

export interface Owner {
  /** Issuer of his tokens, or `key` for API keys and the bearer token, `user` for HTTP Basic, `agent` for agents. */
  readonly authority: string;
  /** Subject of the tokens, or the configured name; of the bearer token `bearer`. */
  readonly subject: string;
}

const metaKey = "mcp-gateway/audience";

/** Members of `_meta`; none for what is for everybody. */
export function audienceMeta({ states, owner }: Audience): JsonObject {
  if (states.length === 0 && owner === undefined) return {};
  return { [metaKey]: { states, ...(owner !== undefined && { owner: { ...owner } }) } };
}

/** Of a tool of the capabilities; `undefined` when it is for everybody. */
export function audienceOf({ _meta }: JsonObject): Audience | undefined {
  const audience = isJsonObject(_meta) ? _meta[metaKey] : undefined;
  return isJsonObject(audience) && Array.isArray(audience["states"]) ? (audience as unknown as Audience) : undefined;
}

/** Why the tool is not there for the caller, if it is not. */
export function hiddenBy(audience: Audience | undefined, caller: Caller | undefined): "owner" | "state" | undefined {
  if (audience === undefined) return undefined;
  const { states, owner } = audience;
  if (owner !== undefined && !isOwner(owner, caller)) return "owner";
  return states.length === 0 || states.includes(caller?.view?.state ?? defaultState) ? undefined : "state";
}

/** Principals of who needs no credential: without authentication, on stdin and stdout, in the program around a gateway. */
const ofOnePerson: ReadonlySet<string> = new Set(["anonymous", "stdio", "host"]);

/** Where nobody has to say who he is, there is one person only: the machine's own user. Admins are not others. */
function isOwner({ authority, subject }: Owner, caller: Caller | undefined): boolean {
  if (caller === undefined) return false;
  const { principal, identity } = caller;
  if (ofOnePerson.has(principal)) return true;
  if (principal.startsWith("bearer:")) return authority === "key" && subject === "bearer";
  if (identity?.issuer !== undefined) return identity.issuer === authority && identity.subject === subject;
  return identity?.subject === `${authority}:${subject}`;
}

/** For a tool that only the state of the session keeps from the caller. */
export function hiddenByState(server: string, tool: string, { view }: Caller): DeniedError {
  const state = view?.state ?? defaultState;
  return new DeniedError("FORBIDDEN", `Tool "${tool}" of server "${server}" is hidden in the state "${state}"`, {
    hint: "An operator can give the session another state with gateway_set_state",
    data: { server },
  });
}

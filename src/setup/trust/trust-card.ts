/** What there is to know of one tool before trusting it, without any secret: the same input gives the same card. */
import type { DefinitionFinding } from "../../catalog/integrity/poisoning.ts";
import { isJsonObject, type JsonObject, stableJson } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";

export interface TrustCard {
  /** `capability:NAME` or `tool:SERVER:NAME`. */
  readonly id: string;
  readonly server: string;
  readonly tool: string;
  /** `built-in`, `file` or `server`. */
  readonly source: "built-in" | "file" | "server";
  /** Of the tool as clients see it; of a capability, of what it does with the call too. */
  readonly definition_sha256: string;
  readonly providers: readonly CardProvider[];
  readonly effects: CardEffects;
  /** Instructions to the model that its definition may hide. */
  readonly findings: readonly DefinitionFinding[];
  /** `held`: quarantined until an operator approves it. */
  readonly pin: "pinned" | "held" | "not pinned";
}

/** Who does the work. */
export interface CardProvider {
  /** `primary`, `fallback.0` …; of a server its name, or the id of a replica. */
  readonly name: string;
  /** `rest`, `graphql`, `jsonrpc`, `cli`, or the transport of a server. */
  readonly service: string;
  /** Where it goes in the network, `https://host:port`; a part in braces is filled in with the call. */
  readonly origins: readonly string[];
  /** Tool of a backend that it calls, as `server:tool`. */
  readonly calls?: string | undefined;
  /** What is run on this machine, secrets taken out. */
  readonly program?: string | undefined;
  /** Network a program may use: `full`, or `none` where it is isolated. */
  readonly egress?: string | undefined;
  /** Kinds of credentials it gets, and where they are kept; never one of them. */
  readonly auth: readonly string[];
}

export interface CardEffects {
  readonly read_only: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly open_world: boolean;
}

/** What the tool says of itself; left out, the worst (server/tools, "ToolAnnotations"). */
export function effectsOf(tool: JsonObject): CardEffects {
  const annotations = isJsonObject(tool["annotations"]) ? tool["annotations"] : {};
  const read_only = annotations["readOnlyHint"] === true;
  return {
    read_only,
    destructive: !read_only && annotations["destructiveHint"] !== false,
    idempotent: read_only || annotations["idempotentHint"] === true,
    open_world: annotations["openWorldHint"] !== false,
  };
}

export function digestOf(value: unknown): string {
  return sha256Hex(stableJson(value));
}

/** Scheme, host and port, without what may be secret: user, path and parameters. `undefined` for what has no host. */
export function originOf(address: string): string | undefined {
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*:)\/\/([^/?#]+)/i.exec(address) ?? [];
  return scheme === undefined || authority === undefined
    ? undefined
    : `${scheme.toLowerCase()}//${authority.slice(authority.lastIndexOf("@") + 1)}`;
}

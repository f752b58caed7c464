/** One tool made of one capability file. */
import type { ResultTransformSettings } from "../core/transform/schema.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { AuthSettings, CliSettings, HttpSettings, McpSettings, ProjectionSettings } from "./definition-schema.ts";

/** What has to be there before the tool can work. */
export interface Requirements {
  /** Environment variables. */
  readonly variables: readonly string[];
  /** Provider of an OAuth login. */
  readonly login: string | undefined;
  /** Program of a `cli` provider. */
  readonly program: string | undefined;
}

/** As much of a capability as listing it takes. */
export interface ListedCapability {
  readonly name: string;
  /** `metadata.category`; may be empty. */
  readonly category: string;
  /** As `tools/list` shows it. */
  readonly tool: JsonObject;
  readonly requirements: Requirements;
  /** Whether there is one decides how the tool is listed. */
  readonly projection?: ProjectionSettings | undefined;
  /** Where it was read from; `undefined` for what is built in. */
  readonly file?: { readonly path: string; readonly isPinned: boolean } | undefined;
  /** Everything else; what is built in is taken apart when it is first called. @throws ConfigError */
  load(): Promise<Capability>;
}

/** Ready to be called. */
export interface Capability {
  readonly name: string;
  readonly category: string;
  readonly tool: JsonObject;
  /** JSON Schema of the arguments. */
  readonly input: JsonObject;
  /** Names of the arguments; `undefined` when the schema declares none, which allows any. */
  readonly declared: ReadonlySet<string> | undefined;
  /** The primary one, then those that stand in for it, in order. */
  readonly providers: readonly [Provider, ...Provider[]];
  /** `metadata.read_only`: asking twice does no harm. */
  readonly isReadOnly: boolean;
  /** How long an answer may be given again; 0 when it is not to be kept. */
  readonly cacheTtlMs: number;
  /** What becomes of an answer, one after the other; see presented.ts. */
  readonly transform: ResultTransformSettings | undefined;
  readonly responseTransform: ResultTransformSettings | undefined;
  readonly projection: ProjectionSettings | undefined;
  readonly requirements: Requirements;
}

export interface Provider {
  /** `primary`, `fallback.0` … as in the file. */
  readonly name: string;
  readonly action: Action;
  /** The file's own `auth`, or that of the provider. */
  readonly auth: AuthSettings;
  /** For all attempts together; `undefined` leaves it to the backend that is called. */
  readonly timeoutMs: number | undefined;
  /** The first one included. */
  readonly maxAttempts: number;
  /** Environment variables its templates use; their values are kept out of errors. */
  readonly variables: readonly string[];
  /** Names in the keychain that its templates use. */
  readonly keychainNames: readonly string[];
}

export type Action = HttpAction | CliAction | McpAction;

export interface HttpAction {
  readonly service: "rest" | "graphql" | "jsonrpc";
  readonly http: HttpSettings;
  /** GraphQL document, sent as it is: an argument is a variable of it and never a part. */
  readonly query?: string;
  /** `method` of JSON-RPC. */
  readonly rpcMethod?: string;
  /** `params` of JSON-RPC, a list or a mapping; all arguments by default. */
  readonly rpcParams?: Json | undefined;
}

export interface CliAction {
  readonly service: "cli";
  readonly cli: CliSettings;
}

export interface McpAction {
  readonly service: "mcp";
  readonly mcp: McpSettings;
}

/** One tool made of one capability file, ready to be called. */
import type { JsonObject } from "../lib/json.ts";
import type { AuthSettings, RestSettings } from "./definition-schema.ts";

export const capabilityExtensions: readonly string[] = [".yaml", ".yml"];

export interface Capability {
  readonly name: string;
  /** As `tools/list` shows it. */
  readonly tool: JsonObject;
  /** JSON Schema of the arguments. */
  readonly input: JsonObject;
  /** Names of the arguments; `undefined` when the schema declares none, which allows any. */
  readonly declared: ReadonlySet<string> | undefined;
  readonly rest: RestSettings;
  readonly auth: AuthSettings;
  readonly timeoutMs: number;
  /** Environment variables its templates use; their values are kept out of errors. */
  readonly variables: readonly string[];
}

/** How one backend's tools look from outside: names, definitions and arguments there and back. */
import { UpstreamRpcError } from "../../core/errors.ts";
import { ResultTransform } from "../../core/transform/result-transform.ts";
import { globMatches } from "../../lib/glob.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { BackendTransformSettings } from "./schema.ts";

type ToolSettings = BackendTransformSettings["tools"][string];

export class ToolView {
  readonly #server: string;
  readonly #settings: BackendTransformSettings;
  readonly #tools: readonly (readonly [
    pattern: string,
    settings: ToolSettings,
    response: ResultTransform | undefined,
  ])[];
  readonly #response: ResultTransform | undefined;

  /** @throws Error with what is wrong with a pattern */
  constructor(server: string, settings: BackendTransformSettings) {
    this.#server = server;
    this.#settings = settings;
    this.#tools = Object.entries(settings.tools).map(([pattern, tool]) => [
      pattern,
      tool,
      tool.response && new ResultTransform(tool.response),
    ]);
    this.#response = settings.response && new ResultTransform(settings.response);
  }

  /** A result of `tools/list`. */
  list(result: JsonObject): JsonObject {
    const { tools } = result;
    if (!Array.isArray(tools)) return result;
    return { ...result, tools: tools.flatMap((tool: Json) => (isJsonObject(tool) ? this.#shown(tool) : [])) };
  }

  /**
   * Params of `tools/call` as the server wants them.
   * @throws UpstreamRpcError as servers say that they have no such tool
   */
  call(params: JsonObject): { readonly params: JsonObject; readonly response: ResultTransform | undefined } {
    const name = this.#ownName(String(params["name"]));
    const [settings, response] = this.#settingsOf(name);
    const fixed = (settings?.arguments ?? {}) as JsonObject;
    const { arguments: given } = params;
    const args = { ...(isJsonObject(given) ? given : {}), ...fixed };
    const isChanged = Object.keys(fixed).length > 0;
    return { params: { ...params, name, ...(isChanged && { arguments: args }) }, response };
  }

  #shown(tool: JsonObject): JsonObject[] {
    const { name } = tool;
    if (typeof name !== "string" || !this.#isShown(name)) return [];
    const [settings, response] = this.#settingsOf(name);
    const shown: Record<string, Json | undefined> = { ...tool, name: this.#nameOf(name) };
    if (settings?.description !== undefined) shown["description"] = settings.description;
    if (settings !== undefined && Object.keys(settings.annotations).length > 0)
      shown["annotations"] = {
        ...(isJsonObject(tool["annotations"]) ? tool["annotations"] : {}),
        ...settings.annotations,
      };
    if (isJsonObject(tool["inputSchema"]))
      shown["inputSchema"] = without(tool["inputSchema"], Object.keys(settings?.arguments ?? {}));
    // Clients hold results against it.
    if (response?.changesShape) delete shown["outputSchema"];
    return [shown];
  }

  #isShown(name: string): boolean {
    const { show, hide } = this.#settings;
    const isIn = (patterns: readonly string[]) => patterns.some((pattern) => globMatches(pattern, name));
    return (show === undefined || isIn(show)) && !isIn(hide);
  }

  #nameOf(name: string): string {
    const { namespace, rename } = this.#settings;
    return `${namespace}${Object.hasOwn(rename, name) ? rename[name] : name}`;
  }

  #ownName(shown: string): string {
    const { namespace, rename } = this.#settings;
    const bare = shown.startsWith(namespace) ? shown.slice(namespace.length) : "";
    const renamed = Object.keys(rename).find((name) => rename[name] === bare);
    const name = renamed ?? bare;
    if (this.#nameOf(name) === shown && this.#isShown(name)) return name;
    throw new UpstreamRpcError({ code: -32_602, message: `Unknown tool: ${shown}` }, this.#server);
  }

  #settingsOf(name: string): readonly [ToolSettings | undefined, ResultTransform | undefined] {
    const found = this.#tools.find(([pattern]) => globMatches(pattern, name));
    return [found?.[1], found?.[2] ?? this.#response];
  }
}

function without(schema: JsonObject, names: readonly string[]): JsonObject {
  if (names.length === 0) return schema;
  const { properties, required } = schema;
  const isLeft = (name: unknown) => !names.includes(name as string);
  return {
    ...schema,
    ...(isJsonObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isLeft(name))),
    }),
    ...(Array.isArray(required) && { required: required.filter(isLeft) }),
  };
}

/** Tools as models see them: without the arguments that the gateway fills in, and without the secrets themselves. */
import { isJsonObject, type Json, type JsonObject, mapStrings } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import type { InjectedSecret } from "./schema.ts";
import { isForTool, secretForms } from "./sent-secret.ts";

/** A model that knows of such an argument asks its user for it. */
export function concealSecrets(tools: readonly JsonObject[], secrets: readonly InjectedSecret[]): JsonObject[] {
  const { redactKnown } = new Redactor(secrets.flatMap(secretForms));
  const filledIn = secrets.filter(({ inject_as }) => inject_as === "argument");
  return tools.map((tool) => {
    const shown = mapStrings(tool, redactKnown) as JsonObject;
    const ours = filledIn.filter((secret) => isForTool(secret, String(tool["name"])));
    const names = new Set(ours.map(({ inject_key }) => inject_key));
    return names.size === 0 || !isJsonObject(shown["inputSchema"])
      ? shown
      : { ...shown, inputSchema: withoutArguments(shown["inputSchema"], names) };
  });
}

/** In the schema itself and in the ones it is combined of. */
function withoutArguments(schema: JsonObject, names: ReadonlySet<string>): JsonObject {
  const entries = Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
    if (value === undefined) return [];
    if (key === "properties" && isJsonObject(value))
      return [[key, Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)))]];
    if (key === "required" && Array.isArray(value)) {
      const rest = value.filter((name) => !names.has(name as string));
      // Draft 4, which some clients check by, allows no empty list.
      return rest.length === 0 ? [] : [[key, rest]];
    }
    const isCombined = (key === "allOf" || key === "anyOf" || key === "oneOf") && Array.isArray(value);
    if (!isCombined) return [[key, value]];
    return [[key, value.map((one: Json) => (isJsonObject(one) ? withoutArguments(one, names) : one))]];
  });
  return Object.fromEntries(entries);
}

import { overseesAll } from "../../core/role.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { invalid, readObject, readString } from "../arguments.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { MetaTool } from "../meta-tool.ts";
import { knownPlaybooks } from "./known-playbooks.ts";
import { runSteps } from "./run-steps.ts";

export const runPlaybook: MetaTool = {
  name: "gateway_run_playbook",
  carriesResults: true,
  describe: () => ({
    name: "gateway_run_playbook",
    description: "Run a playbook of gateway_list_playbooks: a recipe of several tool calls, in one turn.",
    inputSchema: {
      type: "object",
      properties: { name: { type: "string" }, arguments: { type: "object" } },
      required: ["name"],
    },
    annotations: {
      title: "Run a playbook",
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  }),
  async run(args, context) {
    const name = readString(args, "name", "playbook");
    if (name === undefined) throw invalid('Argument "name" is missing', "gateway_list_playbooks shows the playbooks");
    const inputs = readObject(args, "arguments", "args", "inputs");
    const { byName, problems } = await knownPlaybooks(context);
    const playbook = byName.get(name);
    if (playbook === undefined) {
      const near = didYouMean(context.catalog.nearest(name, [...byName.keys()], 3));
      const broken =
        problems.length === 0 || !overseesAll(context.caller)
          ? undefined
          : `Files that could not be read:\n${problems.join("\n")}`;
      throw invalid(`There is no playbook "${name}"`, near ?? broken ?? "gateway_list_playbooks shows the playbooks");
    }
    return runSteps(playbook, withDefaults(inputs, playbook.inputs), context);
  },
};

/** What is given, what the schema fills in, and null for the rest, so that conditions can ask for it. */
function withDefaults(given: JsonObject, schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const filled: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    const fallback = isJsonObject(property) ? property["default"] : undefined;
    if (given[name] === undefined && fallback === undefined && required.includes(name))
      throw invalid(`The playbook needs the argument "${name}"`, `Pass it in "arguments": {"${name}": …}`);
    filled[name] = given[name] ?? fallback ?? null;
  }
  const stray = Object.keys(given).find((name) => !Object.hasOwn(properties, name));
  if (stray !== undefined && schema["additionalProperties"] !== true)
    throw invalid(
      `The playbook has no argument "${stray}"`,
      `Its arguments are: ${Object.keys(properties).join(", ") || "none"}`,
    );
  return { ...given, ...filled };
}

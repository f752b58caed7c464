import { Availability } from "../../capabilities/availability.ts";
import type { ListedCapability } from "../../capabilities/capability.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { exists } from "../../runtime/files.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, printError, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { descriptionOf, needsKey } from "./cap-list.ts";
import { capabilityDirectory, findCapability, readCapabilities } from "./capability-source.ts";

export async function runList(input: CommandInput): Promise<number> {
  const all = [...(await load(input)).values()];
  const format = input.text("format");
  if (format === "json")
    return print(
      JSON.stringify(
        all.map((capability) => ({
          name: capability.name,
          description: descriptionOf(capability),
          requires_key: needsKey(capability),
        })),
        undefined,
        2,
      ),
    );
  if (format === "plain") return print(all.map(({ name }) => name).join("\n"));
  const availability = new Availability(environment(), dataDirectory(input.global.dataDir, environment()));
  const rows = await Promise.all(
    all.map(async (capability) => [
      capability.name,
      (await availability.missing(capability.requirements)) ?? (needsKey(capability) ? "set" : "-"),
      shortened(descriptionOf(capability)),
    ]),
  );
  return print(table(["NAME", "AUTH", "DESCRIPTION"], rows));
}

export async function runInspect(input: CommandInput): Promise<number> {
  const capability = findCapability(await load(input), input.text("name") as string);
  const { name, tool } = capability;
  const description = descriptionOf(capability);
  const schema = tool["inputSchema"] as JsonObject;
  if (input.text("format") === "json") return print(JSON.stringify({ name, description, schema }, undefined, 2));
  const lines = [`Name:        ${name}`, `Description: ${description}`];
  if (needsKey(capability)) lines.push(`Needs:       ${needsOf(capability)}`);
  return print([...lines, "Schema:", ...argumentLines(schema)].join("\n"));
}

const longestCell = 100;

function shortened(text: string): string {
  return text.length > longestCell ? `${text.slice(0, longestCell - 1).trimEnd()}…` : text;
}

function needsOf({ requirements: { variables, login } }: ListedCapability): string {
  return [...variables, ...(login === undefined ? [] : [`a login for ${login}`])].join(", ");
}

function argumentLines(schema: JsonObject): string[] {
  const properties = isJsonObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  if (properties.length === 0) return ["  no arguments"];
  return properties.map(([name, property]) => {
    const { type, description, default: fallback } = isJsonObject(property) ? property : ({} as JsonObject);
    const facts = [
      String(type ?? "any"),
      required.includes(name) ? "required" : "",
      fallback === undefined ? "" : `default ${JSON.stringify(fallback)}`,
    ];
    return `  ${name} (${facts.filter((fact) => fact !== "").join(", ")})  ${description ?? ""}`.trimEnd();
  });
}

async function load(input: CommandInput): Promise<ReadonlyMap<string, ListedCapability>> {
  const directory = capabilityDirectory(input.text("capabilities"));
  if (!(await exists(directory)))
    printError(`There is no folder "${directory}": only the built-in capabilities are listed`);
  return readCapabilities(directory, true);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => (row[at] as string).length)));
  return [head, ...rows]
    .map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] as number))).join("  "))
    .join("\n");
}

async function print(text: string): Promise<number> {
  await writeStdout(`${text}\n`);
  return 0;
}

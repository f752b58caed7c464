import type { ListedCapability } from "../../capabilities/capability.ts";
import { usesKey } from "../../capabilities/key-source.ts";
import type { JsonObject } from "../../lib/json.ts";
import { writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { capabilityDirectory, readCapabilities } from "./capability-source.ts";

export async function runList(input: CommandInput): Promise<number> {
  const isBuiltin = input.flag("builtin");
  const directory = isBuiltin ? undefined : capabilityDirectory(input.text("directory"));
  const lines = await Promise.all(
    Array.from((await readCapabilities(directory, isBuiltin)).values(), async (capability) => ({
      name: capability.name,
      description: descriptionOf(capability),
      auth: await authOf(capability),
    })),
  );
  if (input.flag("json")) return print(JSON.stringify(lines, undefined, 2));
  if (lines.length === 0) return print(`No capabilities in ${directory ?? "the program"}.`);
  return print(lines.map(({ name, description, auth }) => `  ${name} - ${description} [${auth}]`).join("\n"));
}

export async function runSearch(input: CommandInput): Promise<number> {
  const words = input.words.map((word) => word.toLowerCase());
  const all = await readCapabilities(capabilityDirectory(input.text("capabilities")), true);
  const found = [...all.values()].filter((capability) => {
    const text = [capability.name, descriptionOf(capability), ...tagsOf(capability)].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (input.flag("json")) return print(JSON.stringify(found.map(asJson), undefined, 2));
  if (found.length === 0) return print(`Nothing found for "${words.join(" ")}".`);
  return print(
    found.map((capability) => `  ${capability.name}${keyMark(capability)} - ${descriptionOf(capability)}`).join("\n"),
  );
}

export async function runRegistryList(input: CommandInput): Promise<number> {
  const all = [...(await readCapabilities(capabilityDirectory(input.text("capabilities")), true)).values()];
  if (input.flag("json")) return print(JSON.stringify(all.map(asJson), undefined, 2));
  return print(
    all
      .map(
        (capability) =>
          `  ${capability.name}${keyMark(capability)} - ${descriptionOf(capability)}\n    ${tagsOf(capability).join(", ")}`,
      )
      .join("\n"),
  );
}

export function asJson(capability: ListedCapability): JsonObject {
  return {
    name: capability.name,
    description: descriptionOf(capability),
    tags: tagsOf(capability),
    requires_key: needsKey(capability),
  };
}

/** Whether something has to be set before it can be used. */
export function needsKey({ requirements }: ListedCapability): boolean {
  return requirements.variables.length > 0 || requirements.login !== undefined;
}

export function descriptionOf({ tool }: ListedCapability): string {
  return String(tool["description"]).replace(/\s+/g, " ").trim();
}

async function authOf(capability: ListedCapability): Promise<string> {
  const { auth } = (await capability.load()).providers[0];
  return usesKey(auth) ? auth.type || "bearer" : "none";
}

function tagsOf({ tool }: ListedCapability): string[] {
  const tags = (tool["_meta"] as JsonObject | undefined)?.["mcp-gateway/keywords"];
  return Array.isArray(tags) ? tags.map(String) : [];
}

function keyMark(capability: ListedCapability): string {
  return needsKey(capability) ? " 🔑" : "";
}

async function print(text: string): Promise<number> {
  await writeStdout(`${text}\n`);
  return 0;
}

import type { ListedCapability } from "../../capabilities/capability.ts";
import { version } from "../../core/version.ts";
import type { JsonObject } from "../../lib/json.ts";
import { displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { agentFolders, assertOurs, installBundle, writeBundle } from "../../skills/install-bundle.ts";
import { type Bundle, type BundledTool, bundleName, renderBundle } from "../../skills/render-bundle.ts";
import type { CommandInput } from "../command.ts";
import { capabilityDirectory, readCapabilities } from "./capability-source.ts";

/** Every place is found free, or ours, before the first one is written. 1 when nothing matches. */
export async function run(input: CommandInput): Promise<number> {
  const cwd = workingDirectory();
  const bundles = bundlesOf(await matching(input));
  if (bundles.length === 0) {
    await writeStderr("No capability matches: `mcp-gateway tool list` shows those there are\n");
    return 1;
  }
  const folder = resolve(cwd, expandHome(input.text("out-dir") as string, environment()));
  const links = input.flag("install") ? agentFolders.map((each) => resolve(cwd, each)) : [];
  for (const { name } of bundles)
    for (const place of [folder, ...links]) await assertOurs(join(place, name), name, join(folder, name));
  for (const bundle of bundles) {
    const { name, files } = bundle;
    const written = join(folder, name);
    if (input.flag("dry-run")) {
      for (const file of files.keys()) await say(`Would create ${displayPath(join(written, file), cwd)}`);
      for (const place of links) await say(`Would link ${displayPath(join(place, name), cwd)}`);
      continue;
    }
    await writeBundle(folder, bundle);
    await say(`Created ${displayPath(written, cwd)} with ${files.size} files`);
    for (const place of links) {
      const path = join(place, name);
      const how = await installBundle(written, path);
      if (how !== undefined) await say(`${how === "link" ? "Linked" : "Copied to"} ${displayPath(path, cwd)}`);
    }
  }
  return 0;
}

async function matching(input: CommandInput): Promise<ListedCapability[]> {
  const all = await readCapabilities(capabilityDirectory(input.text("capabilities")), true);
  const prefix = input.text("server") ?? "";
  const category = input.text("category");
  return [...all.values()].filter(
    (one) =>
      one.name.startsWith(prefix) && (category === undefined || bundleName(one.category) === bundleName(category)),
  );
}

/** One for each category, in the order of names. */
function bundlesOf(capabilities: readonly ListedCapability[]): Bundle[] {
  const tools = new Map<string, BundledTool[]>();
  for (const capability of capabilities) {
    const name = bundleName(capability.category);
    tools.set(name, [...(tools.get(name) ?? []), toolOf(capability)]);
  }
  return [...tools].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, its]) => renderBundle(name, its, version));
}

function toolOf({ name, tool, requirements: { variables, login, program } }: ListedCapability): BundledTool {
  return {
    name,
    description: String(tool["description"]),
    inputSchema: tool["inputSchema"] as JsonObject,
    readsOnly: (tool["annotations"] as JsonObject)["readOnlyHint"] === true,
    needs: [
      ...variables.map((variable) => `the variable ${variable}`),
      ...(login === undefined ? [] : [`a login for ${login}`]),
      ...(program === undefined ? [] : [`the program ${program}`]),
    ],
  };
}

function say(line: string): Promise<void> {
  return writeStdout(`${line}\n`);
}

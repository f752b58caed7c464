import { ConfigError } from "../../core/errors.ts";
import { embeddedFiles } from "../../runtime/embedded.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { dirname, displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { localTemplate, minimalTemplate } from "./init-templates.ts";
import { sayDone } from "./say-done.ts";

const examples = ["knowledge/weather_current.yaml", "knowledge/public_holidays.yaml"];

/** Checks everything it is going to write before it writes anything. */
export async function run(input: CommandInput): Promise<number> {
  const cwd = workingDirectory();
  const profile = input.text("profile") as "local" | "minimal";
  const output = resolve(cwd, expandHome(input.text("output") as string, environment()));
  const files = new Map([[output, profile === "local" ? localTemplate : minimalTemplate]]);
  if (profile === "local" && input.flag("with-examples"))
    for (const [path, text] of await exampleFiles()) files.set(join(dirname(output), "capabilities", path), text);
  for (const path of files.keys())
    if (await exists(path))
      throw new ConfigError(
        `Error: ${displayPath(path, cwd)} already exists. Remove it first or choose a different path with --output.`,
      );
  for (const [path, text] of files) {
    await writeAtomic(path, text);
    await sayDone(`Created ${displayPath(path, cwd)}`);
  }
  await writeStdout(nextSteps(profile, displayPath(output, cwd)));
  return 0;
}

async function exampleFiles(): Promise<[string, string][]> {
  const embedded = await embeddedFiles("capabilities");
  return examples.flatMap((path) => {
    const text = embedded.get(path);
    return text === undefined ? [] : [[path, text]];
  });
}

function nextSteps(profile: string, output: string): string {
  const named = output === "gateway.yaml" ? "" : ` -c ${output}`;
  return `Profile: ${profile}

Next steps
  Add a server:  mcp-gateway add${named} files -- npx -y @modelcontextprotocol/server-filesystem .
  Check it:      mcp-gateway validate ${output}
  Run it:        mcp-gateway${named}

Then tell your AI client about it:
  { "mcpServers": { "gateway": { "type": "http", "url": "http://127.0.0.1:39400/mcp" } } }
`;
}

import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { embeddedFiles } from "../../runtime/embedded.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { sayDone } from "./say-done.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const files = await embeddedFiles("capabilities");
  const path = [...files.keys()].find((each) => each.endsWith(`/${name}.yaml`));
  if (path === undefined) {
    const known = Array.from(files.keys(), (each) => each.replace(/^.*\//, "").replace(/\.yaml$/, ""));
    throw new ConfigError(`There is no built-in capability "${name}"${suggestion(name, known)}`);
  }
  const cwd = workingDirectory();
  const folder = resolve(cwd, expandHome(input.text("output") as string, environment()));
  const target = join(folder, ...path.split("/"));
  if (await exists(target))
    throw new ConfigError(
      `"${displayPath(target, cwd)}" already exists: remove it first, or choose another folder with --output`,
    );
  await writeAtomic(target, files.get(path) as string);
  await sayDone(`Created ${displayPath(target, cwd)}`);
  return 0;
}

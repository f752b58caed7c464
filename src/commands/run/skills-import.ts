import { fetchPage } from "../../capabilities/import/fetch-document.ts";
import { Refusal } from "../../capabilities/refusal.ts";
import { targetCheck } from "../../capabilities/ssrf.ts";
import { scanDefinition } from "../../catalog/integrity/poisoning.ts";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { isFile, isMissing, listDirectory, resolveLinks } from "../../runtime/files.ts";
import { displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr } from "../../runtime/process.ts";
import { maxFileBytes } from "../../skills/limits.ts";
import { parseSkill } from "../../skills/parse-skill.ts";
import { readSkillFile, readSkillFolder } from "../../skills/read-folder.ts";
import { addToRegistry } from "../../skills/registry.ts";
import { type Skill, skillFile } from "../../skills/skill.ts";
import type { CommandInput } from "../command.ts";
import { sayDone } from "./say-done.ts";
import { registryOf } from "./skill-registry.ts";

interface Found {
  readonly skill: Skill;
  readonly origin: { readonly source_path: string } | { readonly source_url: string };
}

/** Nothing is written before all of the skill is read, checked and scanned. */
export async function run(input: CommandInput): Promise<number> {
  const source = input.text("source") as string;
  const { skill, origin } = /^https?:\/\//i.test(source) ? await fromWeb(source, input) : await fromDisk(source);
  const findings = findingsIn(skill);
  if (findings.length > 0) {
    await writeStderr(`${escapeHidden(findings.join("\n"))}\n`);
    if (!input.flag("force"))
      throw new ConfigError(
        `"${skill.name}" may hide instructions to the model: read it there, then import it with --force`,
      );
  }
  const isReplaced = await addToRegistry(registryOf(input), skill, origin);
  const files = skill.files.size === 1 ? "" : ` with ${skill.files.size - 1} more files`;
  await sayDone(`${isReplaced ? "Replaced" : "Imported"} skill ${skill.name}${files}`);
  return 0;
}

async function fromDisk(source: string): Promise<Found> {
  const cwd = workingDirectory();
  const path = await resolveLinks(resolve(cwd, expandHome(source, environment())));
  const label = displayPath(path, cwd);
  if (await isFile(path)) {
    const skill = await parseSkill(label, await readSkillFile(path, label));
    return { skill, origin: { source_path: path } };
  }
  await assertSkillFolder(path, source, label);
  const { text, others, leftOut } = await readSkillFolder(path, label);
  const skill = await parseSkill(`${label}/${skillFile}`, text, others);
  for (const file of leftOut) await writeStderr(`Left out: ${escapeHidden(file)}\n`);
  return { skill, origin: { source_path: join(path, skillFile) } };
}

/** @throws ConfigError, naming folders below that are skills */
async function assertSkillFolder(path: string, source: string, label: string): Promise<void> {
  const entries = await listDirectory(path).catch((error: unknown) => {
    throw new ConfigError(`"${source}" ${isMissing(error) ? "is no file and no folder" : "cannot be read"}`);
  });
  if (entries.some(({ name }) => name === skillFile)) return;
  const below = [];
  for (const { name, kind } of entries)
    if (kind === "directory" && (await isFile(join(path, name, skillFile)))) below.push(`${label}/${name}`);
  const hint = below.length === 0 ? "" : `: import one of ${below.slice(0, 10).join(", ")}`;
  throw new ConfigError(`"${source}" has no ${skillFile}${hint}`);
}

/** The one file: what it refers to stays where it is. What stands behind `?` may be a key, and is not kept. */
async function fromWeb(url: string, { global }: CommandInput): Promise<Found> {
  const label = url.replace(/[?#].*$/s, "");
  const { config: path, overrides } = global;
  const { config } = await loadConfig({ path, overrides, env: environment(), cwd: workingDirectory(), fallBack: true });
  try {
    const checkTarget = targetCheck(config.security?.ssrf_protection === false);
    const { text } = await fetchPage(url, { checkTarget, maxBytes: maxFileBytes });
    await writeStderr("Only the file itself is imported from an address, not the files it refers to\n");
    return { skill: await parseSkill(label, text), origin: { source_url: label } };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ConfigError(
      error.detail === undefined ? error.message : `${error.message}\n${escapeHidden(error.detail)}`,
    );
  }
}

/** What the scan of tool definitions finds in it, one line each, `FILE:LINE` where one line is enough to find it. */
function findingsIn(skill: Skill): string[] {
  return [...skill.files].flatMap(([path, text]) =>
    scanDefinition(text, new Set()).map(({ rule }) => {
      const lines = text.split("\n");
      const at = lines.findIndex((line) => scanDefinition(line, new Set()).some((found) => found.rule === rule));
      return `${path}${at < 0 ? "" : `:${at + 1}`}  ${rule}`;
    }),
  );
}

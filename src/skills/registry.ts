/**
 * The file of imported skills: `{"schema": 1, "skills": {name: entry}}`, as the product this one replaces writes it, with
 * the texts themselves in `files`. Where those are, they say everything; the other members are for older readers. What an
 * entry or the file has beyond is kept.
 */
import { ConfigError } from "../core/errors.ts";
import { parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { FileTooLargeError, isMissing, readText, writeAtomic } from "../runtime/files.ts";
import { codeBlocks } from "./code-blocks.ts";
import { maxRegistryBytes } from "./limits.ts";
import { parseSkill } from "./parse-skill.ts";
import { listIn, type Skill, skillFile } from "./skill.ts";

const formatVersion = 1;
/** Of the specification's list with spaces, or of one with commas: `Bash(git add:*) Read`. */
const toolName = /[^\s,(]+(?:\([^)]*\))?/g;

export interface KnownSkill extends Skill {
  /** Path or address it was imported from, where that is known. */
  readonly source: string | undefined;
}

export interface Registry {
  /** In the order of names. */
  readonly skills: readonly KnownSkill[];
  /** Why entries are left out, one line each. */
  readonly problems: readonly string[];
}

/** A missing file is an empty registry. @throws ConfigError when it cannot be read */
export async function readRegistry(path: string): Promise<Registry> {
  const skills: KnownSkill[] = [];
  const problems: string[] = [];
  const entries = Object.entries(entriesIn(await readRaw(path), path)).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, entry] of entries) {
    try {
      const skill = await skillOf(entry, `${name}/${skillFile}`);
      if (skill.name !== name) throw new ConfigError(`"${name}" in ${path} is a skill named "${skill.name}"`);
      skills.push(skill);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
    }
  }
  return { skills, problems };
}

/** True when another skill of that name was there before. @throws ConfigError when the registry cannot be read, or changed meanwhile */
export async function addToRegistry(path: string, skill: Skill, origin: JsonObject): Promise<boolean> {
  const raw = await readRaw(path);
  const before = entriesIn(raw, path);
  await write(path, raw, { ...before, [skill.name]: entryOf(skill, origin) });
  return Object.hasOwn(before, skill.name);
}

/** False when it has no such skill. @throws ConfigError as {@link addToRegistry} */
export async function removeFromRegistry(path: string, name: string): Promise<boolean> {
  const raw = await readRaw(path);
  const before = entriesIn(raw, path);
  if (!Object.hasOwn(before, name)) return false;
  const { [name]: _removed, ...rest } = before;
  await write(path, raw, rest);
  return true;
}

async function write(path: string, raw: JsonObject, skills: JsonObject): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(skills).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify({ ...raw, schema: formatVersion, skills: sorted }, undefined, 2)}\n`;
  if (Buffer.byteLength(text) > maxRegistryBytes)
    throw new ConfigError(`"${path}" would be larger than ${maxRegistryBytes} bytes: remove skills first`);
  await writeAtomic(path, text, { mode: 0o600 });
}

async function readRaw(path: string): Promise<JsonObject> {
  try {
    const value = parseExact(await readText(path, maxRegistryBytes));
    if (isJsonObject(value)) return value;
    throw new SyntaxError("it is not an object");
  } catch (error) {
    if (isMissing(error)) return {};
    if (error instanceof FileTooLargeError) throw new ConfigError(error.message);
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`"${path}" is no registry of skills: ${reason}. Mend it, or move it away to begin anew`);
  }
}

function entriesIn({ schema = formatVersion, skills = {} }: JsonObject, path: string): JsonObject {
  if (schema !== formatVersion)
    throw new ConfigError(`"${path}" is of schema ${JSON.stringify(schema)}; this program knows ${formatVersion}`);
  if (!isJsonObject(skills)) throw new ConfigError(`"skills" in "${path}" must be an object`);
  return skills;
}

function entryOf(skill: Skill, origin: JsonObject): JsonObject {
  const { name, description, frontmatter, body, files } = skill;
  const { version, effort, triggers, keywords, "allowed-tools": tools, ...others } = frontmatter;
  const { name: _name, description: _description, ...extra } = others;
  return {
    name,
    description,
    ...(version !== undefined && { version: String(version) }),
    ...(effort !== undefined && { effort: String(effort) }),
    allowed_tools: typeof tools === "string" ? (tools.match(toolName) ?? []) : listIn(tools),
    triggers: listIn(triggers),
    keywords: listIn(keywords),
    body,
    code_blocks: codeBlocks(body).map((block) => ({ ...block })),
    extra,
    ...origin,
    files: Object.fromEntries(files),
  };
}

async function skillOf(entry: Json | undefined, label: string): Promise<KnownSkill> {
  if (!isJsonObject(entry)) throw new ConfigError(`${label}  The entry must be an object`);
  const { files, source_path, source_url } = entry;
  const texts = Object.entries(isJsonObject(files) ? files : {}).filter(
    (file): file is [string, string] => typeof file[1] === "string" && isPlainPath(file[0]),
  );
  const own = texts.find(([path]) => path === skillFile)?.[1];
  const others = texts.filter(([path]) => path !== skillFile);
  const skill = await parseSkill(label, own ?? (await skillText(entry)), others);
  const source = source_path ?? source_url;
  return { ...skill, source: typeof source === "string" ? source : undefined };
}

/** Of an entry without texts: a `SKILL.md` that says the same. */
async function skillText(entry: JsonObject): Promise<string> {
  const { name, description, version, effort, allowed_tools, triggers, keywords, extra, body } = entry;
  const list = (value: Json | undefined) => (listIn(value).length === 0 ? undefined : value);
  const frontmatter = {
    name,
    description,
    version,
    effort,
    "allowed-tools": list(allowed_tools),
    triggers: list(triggers),
    keywords: list(keywords),
    ...(isJsonObject(extra) ? extra : {}),
  };
  const { yamlText } = await import("../lib/yaml-document.ts");
  return `---\n${await yamlText(JSON.parse(JSON.stringify(frontmatter)))}---\n\n${typeof body === "string" ? body.trim() : ""}\n`;
}

/** Of a file below a folder: it becomes a part of an address. */
function isPlainPath(path: string): boolean {
  return path.split("/").every((step) => step !== "" && step !== "." && step !== "..");
}

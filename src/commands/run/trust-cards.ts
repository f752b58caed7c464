/** Bodies of `trust generate|inspect|validate`: from files and what is kept on disk, whether or not a gateway runs. */
import { createLibrary } from "../../capabilities/library.ts";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { isJsonObject, type Json, nestsDeeper } from "../../lib/json.ts";
import { readYaml, yamlText } from "../../lib/yaml-document.ts";
import { readText, writeAtomic } from "../../runtime/files.ts";
import { dataDirectory, expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { capabilityCards } from "../../setup/trust/capability-cards.ts";
import { billOfMaterials } from "../../setup/trust/cyclonedx.ts";
import { compareCards, reviewCards } from "../../setup/trust/review-cards.ts";
import { type ServerCards, serverCards } from "../../setup/trust/server-cards.ts";
import type { TrustCard } from "../../setup/trust/trust-card.ts";
import type { CommandInput } from "../command.ts";
import { stderrLog } from "./capability-source.ts";
import { sayDone } from "./say-done.ts";

const maxFileBytes = 64 * 1_048_576;
const schemaVersion = 1;
/** Cards need a few levels, the services of the bill of materials a few more. */
const maxDepth = 32;

interface Inventory {
  readonly capabilities: readonly TrustCard[];
  readonly servers: readonly ServerCards[];
  /** Of both, in the order of their ids. */
  readonly cards: readonly TrustCard[];
}

/** Says which servers nothing is known of: their tools are missing in everything that follows. */
async function takeInventory({ global, text }: CommandInput): Promise<Inventory> {
  const [env, cwd] = [environment(), workingDirectory()];
  const { config: path, overrides, dataDir } = global;
  const loaded = await loadConfig({ path, overrides, env, cwd, fallBack: true });
  const { enabled, name, directories, builtin } = loaded.config.capabilities;
  const folder = text("capabilities");
  const folders = folder === undefined ? directories : [resolve(cwd, expandHome(folder, env))];
  const library = createLibrary(folders, builtin, stderrLog);
  const capabilities = enabled ? await capabilityCards(name, (await library.load()).tools.values()) : [];
  const servers = await serverCards(loaded, dataDirectory(dataDir, loaded.env));
  for (const { server, cards } of servers)
    if (cards === undefined)
      await writeStderr(`The tools of "${server}" are not known: it was not asked since it is configured like this\n`);
  const cards = [...capabilities, ...servers.flatMap(({ cards = [] }) => cards)];
  cards.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { capabilities: cards.filter(({ source }) => source !== "server"), servers, cards };
}

export async function generate(input: CommandInput): Promise<number> {
  const { capabilities, servers, cards } = await takeInventory(input);
  const cbom = billOfMaterials(capabilities, servers);
  const document = input.flag("cbom") ? cbom : { schema_version: schemaVersion, cards, cbom };
  const text = await written(document, input);
  const output = input.text("output");
  if (output === undefined) {
    await writeStdout(text);
    return 0;
  }
  await writeAtomic(resolve(workingDirectory(), expandHome(output, environment())), text);
  await sayDone(`Wrote ${cards.length} trust card(s) to ${output}`);
  return 0;
}

export async function inspect(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const { cards } = await takeInventory(input);
  const card = cards.find((one) => shownName(one) === name);
  if (card === undefined) throw new ConfigError(`There is no tool "${name}"${suggestion(name, cards.map(shownName))}`);
  await writeStdout(await written(card, input));
  return 0;
}

export async function validate(input: CommandInput): Promise<number> {
  const file = input.text("file");
  const accepted = file === undefined ? undefined : await readCards(file);
  const { cards } = await takeInventory(input);
  const remarks = [...reviewCards(cards), ...(accepted === undefined ? [] : compareCards(accepted, cards))];
  for (const { level, id, text } of remarks) await writeStderr(`${escapeHidden(`${level}  ${id} ${text}`)}\n`);
  const errors = remarks.filter(({ level }) => level === "error").length;
  const warnings = remarks.length - errors;
  await writeStdout(`${cards.length} trust card(s): ${errors} error(s), ${warnings} warning(s)\n`);
  return errors > 0 || (input.flag("strict") && warnings > 0) ? 1 : 0;
}

async function readCards(file: string): Promise<readonly Json[]> {
  let document: unknown;
  try {
    const text = await readText(resolve(workingDirectory(), expandHome(file, environment())), maxFileBytes);
    document = text.trimStart().startsWith("{") ? JSON.parse(text) : (await readYaml(text)).value;
  } catch (error) {
    throw new ConfigError(`Cannot read trust cards from "${file}": ${(error as Error).message}`, { cause: error });
  }
  const { schema_version, cards } = isJsonObject(document) && !nestsDeeper(document, maxDepth) ? document : {};
  if (schema_version === schemaVersion && Array.isArray(cards)) return cards;
  throw new ConfigError(
    `"${file}" has no trust cards of this version: make it with "mcp-gateway trust generate -o ${file}"`,
  );
}

/** Names of tools are what servers chose, so what a terminal would obey is written out. */
async function written(value: object, input: CommandInput): Promise<string> {
  const text = input.text("format") === "yaml" ? await yamlText(value) : `${JSON.stringify(value, null, 2)}\n`;
  return escapeHidden(text);
}

function shownName({ id }: TrustCard): string {
  return id.slice(id.indexOf(":") + 1);
}

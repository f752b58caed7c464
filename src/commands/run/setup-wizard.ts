import { readSettings } from "../../config/load.ts";
import { valueAt } from "../../config/path.ts";
import { Redactor } from "../../lib/redact.ts";
import { exists, readExactText, readText, removeFile, writeAtomic } from "../../runtime/files.ts";
import { type Machine, thisMachine } from "../../runtime/machine.ts";
import { basename, dirname, displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { writeStderr, writeStdout } from "../../runtime/process.ts";
import { type Discovery, discover } from "../../setup/discover.ts";
import { entrySecrets, type FoundServer } from "../../setup/found-server.ts";
import { ownAddress } from "../../setup/gateway-entry.ts";
import { type ImportPlan, planImport } from "../../setup/import-plan.ts";
import { holdsSecrets } from "../../setup/secret-variables.ts";
import type { CommandInput } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { type ConfigFile, openConfigFile } from "./config-file.ts";
import { localTemplate } from "./init-templates.ts";
import { configInUse, exportable, exportTo } from "./setup-export.ts";
import { textDiff } from "./text-diff.ts";
import { askToContinue, chooseServers } from "./wizard-questions.ts";

const defaultPort = 39_400;

interface Answers {
  readonly servers: readonly FoundServer[];
  readonly moveSecrets: boolean;
  readonly configureClients: boolean;
}

export async function run(input: CommandInput): Promise<number> {
  const machine = thisMachine();
  const isJson = input.flag("json");
  const say = (text: string) => (isJson ? Promise.resolve() : writeStdout(text));
  const file = await fileToWrite(input, machine);
  const isNew = !(await exists(file.path));
  const base: ConfigFile = isNew ? { ...file, text: localTemplate } : file;
  const settings = await readSettings(base.text, base.label);
  const found = await discover(machine, {
    own: ownAddress({
      port: numberOr(valueAt(settings, ["server", "port"]), defaultPort),
      host: textOr(valueAt(settings, ["server", "host"]), "127.0.0.1"),
      public_url: textOr(valueAt(settings, ["server", "public_url"]), ""),
    }),
    reserved: [textOr(valueAt(settings, ["capabilities", "name"]), "gateway")],
    processes: input.flag("processes"),
  });
  for (const problem of found.problems) await writeStderr(`${problem}\n`);
  await say(summary(found));

  const mayAsk = !input.flag("yes") && !isJson && (await import("../../runtime/can-ask.ts")).canAsk();
  const answers = mayAsk ? await ask(found, input) : defaultAnswers(found, input);
  if (answers === undefined) {
    await say("Nothing was changed.\n");
    return 1;
  }
  const envPath = join(dirname(file.path), `${basename(file.path).replace(/\.ya?ml$/, "")}.env`);
  const envText = (await exists(envPath)) ? await readText(envPath) : "";
  const plan = await planImport({
    ...base,
    servers: answers.servers,
    env: machine.env,
    envFile: answers.moveSecrets ? { name: basename(envPath), text: envText } : undefined,
  });
  const isChanged = isNew || plan.added.length > 0;
  if (input.flag("dry-run")) {
    const { redact } = new Redactor(found.servers.flatMap(({ entry }) => entrySecrets(entry)));
    const diff = redact(textDiff(file.text, plan.text, file.label));
    await say(`${diff}${outcome(plan, envPath, machine)}Nothing was written.\n`);
  } else if (isChanged) {
    if (mayAsk && !(await confirmed(file, plan, isNew))) {
      await say("Nothing was changed.\n");
      return 1;
    }
    await write(file, plan, envPath, envText);
    await say(`${isNew ? `Created ${file.label}\n` : ""}${outcome(plan, envPath, machine)}`);
  } else await say(outcome(plan, envPath, machine));
  if (isJson) await writeStdout(`${JSON.stringify(report(found, plan, file, input.flag("dry-run")), null, 2)}\n`);
  if (answers.configureClients && !input.flag("dry-run")) return configureClients(input, file, machine, say);
  await say(nextSteps(file));
  return 0;
}

async function fileToWrite(input: CommandInput, { cwd, env }: Machine): Promise<ConfigFile> {
  const output = input.text("output");
  return openConfigFile(
    output === undefined ? input.global : { ...input.global, config: resolve(cwd, expandHome(output, env)) },
  );
}

function defaultAnswers({ servers }: Discovery, input: CommandInput): Answers {
  return { servers, moveSecrets: !input.flag("keep-secrets"), configureClients: input.flag("configure-client") };
}

/** `undefined` when the user broke off. */
async function ask(found: Discovery, input: CommandInput): Promise<Answers | undefined> {
  const defaults = defaultAnswers(found, input);
  const servers = found.servers.length === 0 ? [] : await chooseServers(found.servers, commandShown);
  if (servers === undefined) return undefined;
  const secrets = servers.filter(({ name, entry }) => holdsSecrets(name, entry));
  let { moveSecrets, configureClients } = defaults;
  if (secrets.length > 0 && moveSecrets) {
    const names = secrets.map(({ name }) => name).join(", ");
    const answer = await askToContinue(`Secrets of ${names}: move them to an env file beside the configuration?`);
    if (answer === undefined) return undefined;
    moveSecrets = answer;
  }
  if (!configureClients) {
    const answer = await askToContinue("Then tell the AI clients on this machine about the gateway?");
    if (answer === undefined) return undefined;
    configureClients = answer;
  }
  return { servers, moveSecrets, configureClients };
}

async function confirmed(file: ConfigFile, plan: ImportPlan, isNew: boolean): Promise<boolean> {
  const what = isNew ? `Write ${file.label}` : `Change ${file.label}, which is there already`;
  return (await askToContinue(`${what} (${plan.added.length} server(s))?`)) === true;
}

/** The env file first: a configuration that names variables nobody has would be worse than an env file nobody reads. */
async function write(file: ConfigFile, plan: ImportPlan, envPath: string, envBefore: string): Promise<void> {
  if (plan.envText !== undefined) await writeAtomic(envPath, plan.envText, { mode: 0o600 });
  try {
    const mark = (await exists(file.path)) && (await readExactText(file.path)).startsWith("\ufeff") ? "\ufeff" : "";
    await writeAtomic(file.path, mark + plan.text, { mode: 0o600 });
  } catch (error) {
    if (plan.envText !== undefined) {
      if (envBefore === "") await removeFile(envPath);
      else await writeAtomic(envPath, envBefore);
    }
    throw error;
  }
}

async function configureClients(
  input: CommandInput,
  file: ConfigFile,
  machine: Machine,
  say: (text: string) => Promise<void>,
): Promise<number> {
  const loaded = await configInUse({ ...input.global, config: file.path }, machine);
  const options = { targets: exportable, named: false, name: "gateway", remove: false, dryRun: false } as const;
  const { text, ok } = await exportTo({ ...options, mode: "proxy" }, loaded, machine);
  await say(`${text}${nextSteps(file)}`);
  return ok ? 0 : 1;
}

function summary({ counts, servers }: Discovery): string {
  if (servers.length === 0) return "No MCP servers were found on this machine.\n";
  return counts.map(({ title, count }) => `Found ${count} server${count === 1 ? "" : "s"} in ${title}\n`).join("");
}

function outcome({ added, skipped, variables, envText }: ImportPlan, envPath: string, { cwd }: Machine): string {
  return [
    ...added.map(({ name, sources }) => `Added '${name}' (${sources.map(({ title }) => title).join(", ")})`),
    ...skipped.map(({ name, reason }) => `Skipping '${name}' (${reason})`),
    ...added.flatMap(({ name, notes }) => notes.map((note) => `Note: '${name}' ${note}`)),
    ...(envText === undefined ? [] : [`Secrets in ${displayPath(envPath, cwd)}: ${variables.join(", ")}`]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function nextSteps({ label }: ConfigFile): string {
  const named = label === "gateway.yaml" ? "" : ` -c ${label}`;
  return `\nNext: mcp-gateway${named} doctor, then mcp-gateway${named} serve\n`;
}

function report({ counts, problems }: Discovery, plan: ImportPlan, file: ConfigFile, dryRun: boolean) {
  return {
    ok: true,
    dry_run: dryRun,
    config: file.path,
    found: counts,
    added: plan.added.map(({ name, entry, sources, notes }) => ({
      ...backendInfo(name, entry),
      sources: sources.map(({ title, path }) => ({ client: title, path })),
      notes,
    })),
    skipped: plan.skipped,
    variables: plan.variables,
    problems,
  };
}

/** As the choice shows it, without its secrets. */
function commandShown({ entry }: FoundServer): string {
  const { redact } = new Redactor(entrySecrets(entry));
  return redact(String(entry["command"] ?? entry["http_url"])).slice(0, 60);
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

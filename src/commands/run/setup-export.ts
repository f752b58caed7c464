import { type LoadedConfig, loadConfig } from "../../config/load.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { Redactor } from "../../lib/redact.ts";
import { type Machine, thisMachine } from "../../runtime/machine.ts";
import { displayPath, expandHome, resolve } from "../../runtime/paths.ts";
import { onSignal, writeStderr, writeStdout } from "../../runtime/process.ts";
import { watchFiles } from "../../runtime/watch.ts";
import { type AiClient, clients } from "../../setup/clients.ts";
import { applyChange, restoreBackup } from "../../setup/export-apply.ts";
import { type Planned, planExport } from "../../setup/export-plan.ts";
import { entrySecrets } from "../../setup/found-server.ts";
import { type ExportMode, type GatewayAddress, gatewayEntry, genericClient } from "../../setup/gateway-entry.ts";
import { readClientFile } from "../../setup/read-client-file.ts";
import { type CommandInput, UsageError } from "../command.ts";
import type { GlobalOptions } from "../global-options.ts";
import { chosenMode, gatewayAddress } from "./gateway-address.ts";
import { textDiff } from "./text-diff.ts";

const debounceMs = 500;
export const exportable = clients.filter((client) => client.exports !== undefined);

export interface ExportOptions {
  readonly targets: readonly AiClient[];
  /** Whether these were named, rather than all. */
  readonly named: boolean;
  readonly mode: "auto" | ExportMode;
  readonly name: string;
  readonly remove: boolean;
  readonly dryRun: boolean;
}

interface ClientReport {
  readonly client: string;
  readonly action: "created" | "updated" | "unchanged" | "skipped" | "failed";
  readonly path?: string;
  readonly backup?: string;
  readonly reason?: string;
}

export interface ExportReport {
  readonly mode: ExportMode;
  readonly clients: readonly ClientReport[];
  /** For a person. */
  readonly text: string;
  readonly ok: boolean;
}

export async function run(input: CommandInput): Promise<number> {
  const machine = thisMachine();
  const backup = input.text("rollback");
  if (backup !== undefined) {
    const path = await restoreBackup(resolve(machine.cwd, expandHome(backup, machine.env)));
    await writeStdout(`Restored ${displayPath(path, machine.cwd)}\n`);
    return 0;
  }
  const target = input.text("target") as string;
  const mode = input.text("mode") as ExportOptions["mode"];
  const name = input.text("name") as string;
  const loaded = await configInUse(input.global, machine);
  if (target === "generic") {
    const at = await gatewayAddress(loaded, machine);
    const entry = gatewayEntry(genericClient, await chosenMode(mode, loaded), at);
    await writeStdout(`${JSON.stringify({ mcpServers: { [name]: entry } }, null, 2)}\n`);
    return 0;
  }
  const targets = target === "all" ? exportable : namedTargets(target);
  const options: ExportOptions = {
    targets,
    named: target !== "all",
    mode,
    name,
    remove: input.flag("remove"),
    dryRun: input.flag("dry-run"),
  };
  const say = async ({ mode: used, clients: reports, text, ok }: ExportReport) =>
    writeStdout(input.flag("json") ? `${JSON.stringify({ ok, mode: used, name, clients: reports }, null, 2)}\n` : text);
  const report = await exportTo(options, loaded, machine);
  await say(report);
  if (!input.flag("watch")) return report.ok ? 0 : 1;
  await follow(loaded, async () => {
    const next = await exportTo(options, await configInUse(input.global, machine), machine);
    if (next.clients.some(({ action }) => action !== "unchanged" && action !== "skipped")) await say(next);
  });
  return 0;
}

/** `cursor,zed` */
function namedTargets(text: string): AiClient[] {
  return text.split(",").map((name) => {
    const found = exportable.find(({ id }) => id === name.trim());
    if (found !== undefined) return found;
    const ids = [...exportable.map(({ id }) => id), "generic", "all"];
    throw new UsageError(`--target must be one of ${ids.join(", ")}, not "${name}"${suggestion(name, ids)}`);
  });
}

export function configInUse(global: GlobalOptions, machine: Machine): Promise<LoadedConfig> {
  const { config: path, overrides } = global;
  return loadConfig({ path, overrides, env: machine.env, cwd: machine.cwd, fallBack: path === undefined });
}

/** Neither one client's broken file nor a full disk keeps the others from being done. */
export async function exportTo(options: ExportOptions, loaded: LoadedConfig, machine: Machine): Promise<ExportReport> {
  const { targets, name, dryRun } = options;
  const mode = await chosenMode(options.mode, loaded);
  const at = await gatewayAddress(loaded, machine);
  const entryFor = (client: AiClient) => (options.remove ? undefined : gatewayEntry(client, mode, at));
  const reports: ClientReport[] = [];
  const lines: string[] = [];
  for (const client of targets) {
    const planned = await planExport(client, machine, { name, entryFor });
    if (planned.is === "change" && dryRun) {
      const { path, before, after } = planned.change;
      const { redact } = new Redactor(await secretsOf(client, machine));
      lines.push(redact(textDiff(before ?? "", after, displayPath(path, machine.cwd)).trimEnd()));
    }
    const report = await carriedOut(planned, dryRun);
    reports.push(report);
    const line = sentence(report, client, options, machine);
    if (line !== undefined && !(planned.is === "change" && dryRun)) lines.push(line);
  }
  const done = reports.filter(({ action }) => action !== "skipped" && action !== "failed").length;
  if (dryRun) lines.push(`Nothing was written: ${done} client(s) looked at.`);
  else if (options.remove)
    lines.push(`Removed from ${reports.filter(({ action }) => action === "updated").length} client(s).`);
  else lines.push(`Exported to ${done} client(s) (${mode} mode).`);
  if (!options.remove) lines.push(...tokenNotes(loaded, at, mode));
  const failed = reports.some(({ action }) => action === "failed" || (action === "skipped" && options.named));
  return { mode, clients: reports, text: `${lines.join("\n")}\n`, ok: !failed };
}

/** What clients cannot be told, or should not have to be. */
function tokenNotes({ config }: LoadedConfig, { token }: GatewayAddress, mode: ExportMode): string[] {
  if (mode === "stdio" || !config.auth.enabled || token?.startsWith("env:")) return [];
  if (token !== undefined)
    return ["Note: the entries hold the token itself; with auth.bearer_token as env:VAR they name a variable instead"];
  const why =
    config.auth.bearer_token === "auto" ? "the token is made anew at every start" : "there is no bearer token";
  return [`Note: the entries have no token, because ${why}: add an Authorization header, or set auth.bearer_token`];
}

/** What must not be shown of the lines around a change. */
async function secretsOf({ title, exports }: AiClient, machine: Machine): Promise<string[]> {
  const files = await Promise.all((exports?.(machine) ?? []).map((file) => readClientFile(title, file, machine)));
  return files.flatMap(({ servers }) => servers.flatMap(({ entry }) => entrySecrets(entry)));
}

async function carriedOut(planned: Planned, dryRun: boolean): Promise<ClientReport> {
  if (planned.is !== "change")
    return {
      client: planned.client.id,
      action: planned.is,
      reason: planned.reason,
      ...("path" in planned && { path: planned.path }),
    };
  const { client, path, before } = planned.change;
  const action = before === undefined ? "created" : "updated";
  if (dryRun) return { client: client.id, action, path };
  try {
    const backup = await applyChange(planned.change);
    return { client: client.id, action, path, ...(backup !== undefined && { backup }) };
  } catch (error) {
    const reason = `${error instanceof Error ? error.message : String(error)}; the file is as it was`;
    return { client: client.id, action: "failed", path, reason };
  }
}

/** `undefined` for what needs no words: a client that is not here, among all. */
function sentence(
  { action, path = "", backup, reason }: ClientReport,
  client: AiClient,
  { named }: ExportOptions,
  { cwd }: Machine,
): string | undefined {
  const shown = displayPath(path, cwd);
  switch (action) {
    case "created":
      return `Created ${shown} (verified)`;
    case "updated": {
      const saved = displayPath(backup ?? "", cwd);
      return `Updated ${shown} (backup: ${saved}; rollback: mcp-gateway setup export --rollback ${quoted(saved)}; verified)`;
    }
    case "unchanged":
      return `Unchanged ${shown}: ${reason}`;
    case "failed":
      return `FAILED ${client.title}: ${reason}`;
    case "skipped":
      return named ? `Skipped: ${reason}` : undefined;
  }
}

function quoted(path: string): string {
  return /^[\w@%+=:,./~-]+$/.test(path) ? path : JSON.stringify(path);
}

/** Until a signal. A configuration that cannot be used is reported, and the next one awaited. */
async function follow({ watchPaths }: LoadedConfig, again: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = Promise.resolve();
  const report = (error: unknown) => writeStderr(`${error instanceof Error ? error.message : String(error)}\n`);
  const watcher = watchFiles(watchPaths, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(again).catch(report);
    }, debounceMs);
  });
  await writeStderr("Following the configuration; Ctrl-C ends it\n");
  // The watch alone would not keep the program running.
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((done) => onSignal(["SIGINT", "SIGTERM", "SIGHUP"], () => done()));
  clearInterval(alive);
  clearTimeout(timer);
  watcher.close();
  await running;
}

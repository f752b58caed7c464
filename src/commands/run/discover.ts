import { expandVariables } from "../../config/expand.ts";
import { readConfigText, readSettings } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { Redactor } from "../../lib/redact.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { type Machine, thisMachine } from "../../runtime/machine.ts";
import { basename, dirname, displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { writeStderr, writeStdout } from "../../runtime/process.ts";
import { discover } from "../../setup/discover.ts";
import { entrySecrets, type FoundServer, isSameServer, writtenServers } from "../../setup/found-server.ts";
import { ownAddress } from "../../setup/gateway-entry.ts";
import { planImport } from "../../setup/import-plan.ts";
import { type ShadowFinding, shadowFinding } from "../../setup/shadow-report.ts";
import type { CommandInput } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { sayDone } from "./say-done.ts";
import { configInUse } from "./setup-export.ts";

export async function run(input: CommandInput): Promise<number> {
  const machine = thisMachine();
  const loaded = await configInUse(
    { ...input.global, config: input.text("gateway-config") ?? input.global.config },
    machine,
  );
  const { servers: all, problems } = await discover(machine, {
    own: ownAddress(loaded.config.server),
    reserved: [loaded.config.capabilities.name],
    processes: input.flag("processes"),
  });
  for (const problem of problems) await writeStderr(`${problem}\n`);
  const isShadow = input.flag("shadow");
  const servers = isShadow ? await notBehind(all, loaded) : all;
  const findings = isShadow ? servers.map(shadowFinding) : undefined;
  const format = input.text("format");
  if (format === "json") await writeStdout(`${JSON.stringify(findings ?? servers.map(shown), null, 2)}\n`);
  else if (format === "yaml") await writeStdout(await yamlText(findings ?? { backends: entriesOf(servers) }));
  else await writeStdout(findings === undefined ? table(servers) : shadowTable(findings));
  if (!input.flag("write-config")) return 0;
  const adopted = servers.filter(({ name }) => {
    const finding = findings?.find((one) => one.name === name);
    return finding === undefined || finding.remediation === "adopt_into_gateway";
  });
  await writeConfig(input.text("config-path") as string, adopted, machine);
  return 0;
}

async function notBehind(servers: readonly FoundServer[], loaded: Awaited<ReturnType<typeof configInUse>>) {
  const { source, env } = loaded;
  const settings =
    source === undefined ? {} : await readSettings(await readConfigText(source.path, source.path), source.path);
  const backends = expandVariables(settings["backends"], env, () => {});
  const known = writtenServers(backends);
  return servers.filter(({ entry }) => !known.some(([, one]) => isSameServer(one, entry)));
}

function shown({ name, entry, sources, notes }: FoundServer) {
  return {
    ...backendInfo(name, entry),
    sources: sources.map(({ title, path }) => ({ client: title, path })),
    notes,
  };
}

function entriesOf(servers: readonly FoundServer[]) {
  return Object.fromEntries(
    servers.map(({ name, entry }) => {
      const { redact } = new Redactor(entrySecrets(entry));
      return [name, JSON.parse(redact(JSON.stringify(entry))) as unknown];
    }),
  );
}

function table(servers: readonly FoundServer[]): string {
  if (servers.length === 0) return "No MCP servers were found on this machine.\n";
  const rows = servers.map((server) => {
    const { name, transport, command, url, sources } = shown(server);
    return [name, transport, sources.map(({ client }) => client).join(", "), command ?? url ?? ""];
  });
  return columns([["NAME", "TRANSPORT", "FOUND IN", "COMMAND OR URL"], ...rows]);
}

function shadowTable(findings: readonly ShadowFinding[]): string {
  if (findings.length === 0) return "Every server that was found is behind the gateway.\n";
  const rows = findings.map((one) => [
    one.id,
    one.severity,
    one.trust,
    one.auth_exposure,
    one.data_risk,
    one.remediation,
  ]);
  return columns([["ID", "SEVERITY", "TRUST", "SECRETS", "DATA RISK", "WHAT TO DO"], ...rows]);
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_head, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

async function writeConfig(output: string, servers: readonly FoundServer[], { cwd, env }: Machine): Promise<void> {
  const path = resolve(cwd, expandHome(output, env));
  const envPath = join(dirname(path), `${basename(path).replace(/\.ya?ml$/, "")}.env`);
  const label = displayPath(path, cwd);
  for (const one of [path, envPath])
    if (await exists(one))
      throw new ConfigError(`"${displayPath(one, cwd)}" already exists: remove it or choose another --config-path`);
  const envFile = { name: basename(envPath), text: "" };
  const plan = await planImport({ text: "", label, servers, env, envFile });
  if (plan.envText !== undefined) await writeAtomic(envPath, plan.envText, { mode: 0o600 });
  await writeAtomic(path, plan.text === "" ? "backends: {}\n" : plan.text, { mode: 0o600 });
  await sayDone(`Created ${label}`);
}

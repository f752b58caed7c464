/** The AI clients on this machine: whether they lead here, and which servers they have beside the gateway. */
import { expandVariables } from "../../config/expand.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { isMap, type Settings } from "../../config/path.ts";
import type { Config } from "../../config/schema.ts";
import { exists } from "../../runtime/files.ts";
import { findProgram } from "../../runtime/find-program.ts";
import type { Machine } from "../../runtime/machine.ts";
import { displayPath } from "../../runtime/paths.ts";
import { canConnect } from "../../runtime/port.ts";
import { type AiClient, type ClientFile, clients } from "../clients.ts";
import { discover } from "../discover.ts";
import { applyChange } from "../export-apply.ts";
import { entryIn, exportFile, planExport } from "../export-plan.ts";
import { commandWords, entryUrl, identityOf, isGateway, isLoopback, writtenServers } from "../found-server.ts";
import { type GatewayAddress, gatewayEntry, ownAddress } from "../gateway-entry.ts";
import { problemText } from "../read-client-file.ts";
import { readEntry } from "../read-entry.ts";
import type { Check, Fix } from "./check.ts";

const entryName = "gateway";
const connectMs = 300;

export async function checkClients(config: Config, at: GatewayAddress, machine: Machine): Promise<Check[]> {
  const checks: Check[] = [];
  for (const client of clients) {
    const file = await exportFile(client, machine);
    if (file !== undefined && (await exists(file.path)))
      checks.push(...(await checkClient(client, file, config, at, machine)));
  }
  if (checks.some(({ status }) => status === "pass" || status === "fail")) return checks;
  const detail = "no AI client on this machine leads to the gateway";
  const base = { id: "client_config", label: "AI clients", category: "client_config" } as const;
  return [...checks, { ...base, status: "warn", detail, hint: "Tell them", command: "mcp-gateway setup export" }];
}

/** Nothing for a client that has never heard of the gateway. */
async function checkClient(
  client: AiClient,
  file: ClientFile,
  config: Config,
  at: GatewayAddress,
  machine: Machine,
): Promise<Check[]> {
  const label = displayPath(file.path, machine.cwd);
  const base = { id: `client_config.${client.id}`, label: client.title, category: "client_config" } as const;
  let entry: unknown;
  try {
    entry = await entryIn(file, entryName);
  } catch (error) {
    return [{ ...base, status: "warn", detail: problemText(label, error), hint: "Correct the file" }];
  }
  if (entry === undefined) return [];
  const verdict = await judged(entry, client, config.server, machine);
  if (verdict === "right") return [{ ...base, status: "pass", detail: `${label} leads to the gateway` }];
  if (verdict === "about something else") return [];
  const detail = `"${entryName}" in ${label} ${verdict.problem}`;
  const mode = isMap(entry) && entry["command"] !== undefined ? "stdio" : "proxy";
  const command = `mcp-gateway setup export --target ${client.id} --mode ${mode}`;
  if (!verdict.isOurs) return [{ ...base, status: "warn", detail, hint: "If it is meant to lead here", command }];
  const fix: Fix = {
    done: `Corrected "${entryName}" in ${label}`,
    rollback: `mcp-gateway setup export --rollback ${label}.mcp-gateway.bak.*`,
    async apply() {
      const entryFor = () => gatewayEntry(client, mode, at);
      const planned = await planExport(client, machine, { name: entryName, entryFor });
      if (planned.is === "change") await applyChange(planned.change);
      else if (planned.is === "failed") throw new Error(planned.reason);
    },
  };
  return [{ ...base, status: "fail", detail, hint: "Write it anew", command, fix }];
}

type Verdict = { readonly problem: string; readonly isOurs: boolean } | "right" | "about something else";

async function judged(raw: unknown, client: AiClient, server: Config["server"], machine: Machine): Promise<Verdict> {
  const read = readEntry(raw, { machine, project: undefined });
  if ("refused" in read) return { problem: read.refused, isOurs: true };
  const { entry } = read;
  const isHere = isGateway(entry, ownAddress(server));
  const written = entryUrl(entry);
  const url = URL.parse(written ?? "");
  if (url === null || written === undefined) {
    if (!isHere) return "about something else";
    const [program = ""] = commandWords(entry);
    const isThere = findProgram(program, machine.env["PATH"], machine.cwd) !== undefined;
    return isThere ? "right" : { problem: `starts "${program}", which does not exist`, isOurs: true };
  }
  if (!isHere) {
    if (!isLoopback(url)) return "about something else";
    const port = Number(url.port || 80);
    const problem = `leads to port ${port}, and the gateway is on ${server.port}`;
    const isTaken = await canConnect(url.hostname.replace(/^\[|\]$/g, ""), port, connectMs);
    return isTaken ? { problem: `${problem}; something listens there`, isOurs: false } : { problem, isOurs: true };
  }
  const wanted = client.style.remote?.(written);
  if (wanted === undefined) return { problem: `has a URL, and ${client.title} only starts programs`, isOurs: true };
  const missing = Object.entries(wanted).find(
    ([key, value]) => key !== "disabled" && !(isMap(raw) && raw[key] === value),
  );
  if (missing === undefined) return "right";
  return { problem: `lacks "${missing[0]}": ${JSON.stringify(missing[1])}`, isOurs: true };
}

/** Servers that clients reach directly, past every policy of the gateway. */
export async function checkShadow({ config, env }: LoadedConfig, settings: Settings, machine: Machine): Promise<Check> {
  const base = { id: "shadow_radar", label: "Servers beside the gateway", category: "shadow_radar" } as const;
  const { servers } = await discover(machine, { own: ownAddress(config.server), reserved: [], processes: false });
  const backends = expandVariables(settings["backends"], env, () => {});
  const known = writtenServers(backends).map(([, entry]) => identityOf(entry));
  const beside = servers.filter(({ entry }) => !known.includes(identityOf(entry)));
  if (beside.length === 0) return { ...base, status: "pass", detail: "none" };
  const shown = beside.map(({ name, sources }) => `${name} (${sources[0]?.title})`).join(", ");
  const detail = `clients have ${beside.length} server(s) that are not behind the gateway: ${shown}`;
  return { ...base, status: "warn", detail, hint: "Import them", command: "mcp-gateway setup wizard" };
}

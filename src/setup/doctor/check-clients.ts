/** The AI clients on this machine: whether they lead here, and which servers they have beside the gateway. */
import { expandVariables } from "../../config/expand.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { isMap, type Settings } from "../../config/path.ts";
import type { Config } from "../../config/schema.ts";
import { exists } from "../../runtime/files.ts";
import { findProgram } from "../../runtime/find-program.ts";
import type { Machine } from "../../runtime/machine.ts";
import { displayPath } from "../../runtime/paths.ts";
import { type AiClient, type ClientFile, clients } from "../clients.ts";
import { discover } from "../discover.ts";
import { applyChange } from "../export-apply.ts";
import { entryIn, exportFile, planExport } from "../export-plan.ts";
import { commandWords, entryUrl, identityOf, isGateway } from "../found-server.ts";
import { type GatewayAddress, gatewayEntry } from "../gateway-entry.ts";
import { problemText } from "../read-client-file.ts";
import { readEntry } from "../read-entry.ts";
import type { Check } from "./check.ts";

const entryName = "gateway";

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
  const problem = whyWrong(entry, client, config.server.port, machine);
  if (problem === undefined) return [{ ...base, status: "pass", detail: `${label} leads to the gateway` }];
  if (problem === "other") return [];
  const mode = isMap(entry) && entry["command"] !== undefined ? "stdio" : "proxy";
  return [
    {
      ...base,
      status: "fail",
      detail: `"${entryName}" in ${label} ${problem}`,
      hint: "Write it anew",
      command: `mcp-gateway setup export --target ${client.id} --mode ${mode}`,
      fix: {
        done: `Corrected "${entryName}" in ${label}`,
        rollback: `mcp-gateway setup export --rollback ${label}.mcp-gateway.bak.*`,
        async apply() {
          const entryFor = () => gatewayEntry(client, mode, at);
          const planned = await planExport(client, machine, { name: entryName, entryFor });
          if (planned.is === "change") await applyChange(planned.change);
          else if (planned.is === "failed") throw new Error(planned.reason);
        },
      },
    },
  ];
}

/** `other` when the entry of that name is about something else altogether. */
function whyWrong(raw: unknown, client: AiClient, port: number, machine: Machine): string | undefined {
  const read = readEntry(raw, { machine, project: undefined });
  if ("refused" in read) return read.refused;
  const { entry } = read;
  const url = URL.parse(entryUrl(entry) ?? "");
  if (url === null) {
    if (!isGateway(entry, port)) return "other";
    const [program = ""] = commandWords(entry);
    const isThere = findProgram(program, machine.env["PATH"], machine.cwd) !== undefined;
    return isThere ? undefined : `starts "${program}", which does not exist`;
  }
  if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return "other";
  if (!isGateway(entry, port)) return `leads to port ${url.port || "80"}, and the gateway is on ${port}`;
  const wanted = client.style.remote?.(entryUrl(entry) as string);
  if (wanted === undefined) return `has a URL, and ${client.title} only starts programs`;
  const missing = Object.entries(wanted).find(
    ([key, value]) => key !== "disabled" && !(isMap(raw) && raw[key] === value),
  );
  return missing === undefined ? undefined : `lacks "${missing[0]}": ${JSON.stringify(missing[1])}`;
}

/** Servers that clients reach directly, past every policy of the gateway. */
export async function checkShadow({ config, env }: LoadedConfig, settings: Settings, machine: Machine): Promise<Check> {
  const base = { id: "shadow_radar", label: "Servers beside the gateway", category: "shadow_radar" } as const;
  const { servers } = await discover(machine, { port: config.server.port, reserved: [], processes: false });
  const backends = expandVariables(settings["backends"], env, () => {});
  const known = isMap(backends) ? Object.values(backends).filter(isMap).map(identityOf) : [];
  const beside = servers.filter(({ entry }) => !known.includes(identityOf(entry)));
  if (beside.length === 0) return { ...base, status: "pass", detail: "none" };
  const shown = beside.map(({ name, sources }) => `${name} (${sources[0]?.title})`).join(", ");
  const detail = `clients have ${beside.length} server(s) that are not behind the gateway: ${shown}`;
  return { ...base, status: "warn", detail, hint: "Import them", command: "mcp-gateway setup wizard" };
}

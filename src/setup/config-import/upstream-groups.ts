/** Groups of upstreams as backends: one server is a backend of its own, several are its replicas. */
import { isMap, type Path, type Settings } from "../../config/path.ts";
import type { Conversion } from "./conversion.ts";
import { duration } from "./plain-settings.ts";

const groupsPath: Path = ["upstream", "groups"];
const strategies = ["round_robin", "weighted_round_robin", "least_connections", "ip_hash"];
const serverKeys = ["id", "url", "weight"];
const leftOut: Readonly<Record<string, string>> = {
  max_requests: "see failsafe.concurrency of the backend",
  backup: "every replica takes its share",
  metadata: "it has no effect here",
};

export function convertUpstreamGroups(conversion: Conversion): void {
  const groups = conversion.get(groupsPath);
  if (!isMap(groups)) return;
  const names = new Set<string>();
  const timeoutPath: Path = ["middleware", "timeout", "upstream"];
  const timeout = conversion.get(timeoutPath);
  for (const [group, value] of Object.entries(groups)) {
    const from = [...groupsPath, group];
    if (!isMap(value) || !Array.isArray(value["servers"]) || value["servers"].length === 0) {
      conversion.leaveOut(from, "a group needs servers");
      continue;
    }
    const name = freeName(group, names);
    names.add(name);
    const to: Path = ["backends", name];
    const comment = name === group ? undefined : `was called ${JSON.stringify(group)}`;
    convertServers(conversion, from, to, value["servers"], comment);
    convertHealthCheck(conversion, [...from, "health_check_override"], [...to, "failsafe", "health_check"]);
    if (timeout !== undefined) conversion.set(timeoutPath, [...to, "timeout"], duration(timeout, "s"));
  }
}

function convertServers(
  conversion: Conversion,
  group: Path,
  to: Path,
  written: readonly unknown[],
  comment: string | undefined,
): void {
  const from = [...group, "servers"];
  const strategy = strategyOf(conversion, group);
  const servers = written.filter((server, at) => isServer(conversion, server, [...from, at]));
  if (servers.length < 2) {
    for (const server of servers)
      for (const [key, value] of Object.entries(target(server))) conversion.set(from, [...to, key], value, comment);
    if (strategy.from !== undefined) conversion.leaveOut(strategy.from, "one server needs none");
    return;
  }
  const ids = new Set<unknown>();
  const replicas = servers.map((server) => {
    const { id, weight } = server;
    const isNew = typeof id === "string" && id !== "" && !ids.has(id);
    ids.add(id);
    return { ...(isNew && { id }), ...target(server), ...(weight !== undefined && { weight }) };
  });
  conversion.set(from, [...to, "replicas"], replicas, comment);
  if (strategy.from === undefined || strategy.name === undefined) return;
  if (strategies.includes(strategy.name))
    conversion.set(strategy.from, [...to, "load_balancing", "strategy"], strategy.name);
  else conversion.leaveOut(strategy.from, `there is no such strategy; choose one of ${strategies.join(", ")}`);
}

function isServer(conversion: Conversion, server: unknown, from: Path): server is Settings {
  if (!isMap(server) || typeof server["url"] !== "string" || server["url"] === "") {
    conversion.leaveOut(from, "a server needs a url");
    return false;
  }
  for (const key of Object.keys(server))
    if (!serverKeys.includes(key)) conversion.leaveOut([...from, key], leftOut[key] ?? "it is not known");
  return true;
}

/** Programs are named by an address there, which begins with `stdio:`. */
function target({ url }: Settings): Settings {
  const program = /^stdio:(?:\/\/)?(.+)$/i.exec(String(url))?.[1];
  return program === undefined ? { http_url: url } : { command: program };
}

function strategyOf(conversion: Conversion, group: Path): { name?: string; from?: Path } {
  for (const from of [
    [...group, "strategy"],
    ["gateway", "load_balancing", "default_strategy"],
  ]) {
    const name = conversion.get(from);
    if (typeof name === "string") return { name, from };
  }
  return {};
}

function convertHealthCheck(conversion: Conversion, from: Path, to: Path): void {
  for (const key of ["enabled", "interval", "timeout"]) {
    const value = conversion.get([...from, key]);
    if (value !== undefined) conversion.set([...from, key], [...to, key], duration(value, "s"));
  }
}

/** Names of backends are steps of addresses. */
function freeName(group: string, taken: ReadonlySet<string>): string {
  const name = group.replace(/[/\\:\s]+/g, "-") || "upstream";
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${name}-${count}`;
  return free;
}

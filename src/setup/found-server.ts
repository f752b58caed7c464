/** Servers found on a machine: which are the same, which are the gateway itself, and what each may be called. */
import { backendSecrets } from "../config/backend-secrets.ts";
import { splitCommand } from "../config/command-line.ts";
import { isMap, type Settings } from "../config/path.ts";
import { isReservedName } from "../config/reserved-name.ts";
import { stableJson } from "../lib/json.ts";

export interface FoundServer {
  readonly name: string;
  /** As it would stand in `backends`. */
  readonly entry: Settings;
  readonly sources: readonly { readonly title: string; readonly path: string }[];
  readonly notes: readonly string[];
}

/** Program and arguments of an entry. */
export function commandWords({ command, args }: Settings): string[] {
  const more = Array.isArray(args) ? args.map(String) : [];
  if (Array.isArray(command)) return [...command.map(String), ...more];
  const split = typeof command === "string" ? splitCommand(command) : { words: [] };
  return "words" in split ? [...split.words, ...more] : [String(command), ...more];
}

export function entryUrl(entry: Settings): string | undefined {
  const url = entry["http_url"] ?? entry["url"];
  return typeof url === "string" ? url : undefined;
}

/** Equal for entries that lead to the same server, whatever they are called and whatever they hand over. */
export function identityOf(entry: Settings): string {
  const url = entryUrl(entry);
  if (url !== undefined) return `url ${(URL.parse(url)?.href ?? url).replace(/\/$/, "")}`;
  const cwd = typeof entry["cwd"] === "string" ? entry["cwd"] : "";
  return `command ${JSON.stringify([cwd, ...commandWords(entry)])}`;
}

/** The secrets in an entry that is not parsed yet. */
export function entrySecrets(entry: Settings): string[] {
  return backendSecrets({
    env: textsOf(entry["env"]),
    headers: textsOf(entry["headers"]),
    command: commandWords(entry),
    http_url: entryUrl(entry),
  });
}

export function textsOf(map: unknown): Record<string, string> {
  return isMap(map) ? Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)])) : {};
}

/** The servers in `backends` as it is written, with the names of their backends: each of them, and its replicas. */
export function writtenServers(backends: unknown): [name: string, entry: Settings][] {
  if (!isMap(backends)) return [];
  return Object.entries(backends).flatMap(([name, entry]): [string, Settings][] => {
    if (!isMap(entry)) return [];
    const { replicas } = entry;
    const each = Array.isArray(replicas) ? replicas.filter(isMap) : [];
    return [entry, ...each].map((one) => [name, one]);
  });
}

/** How this gateway is reached. */
export interface OwnAddress {
  readonly port: number;
  /** What it listens on, besides the loopback. */
  readonly host?: string | undefined;
  /** Under which others know it, on whatever port. */
  readonly publicHost?: string | undefined;
}

/** Whether the entry is how a client reaches this gateway, which must never be a backend of itself. */
export function isGateway(entry: Settings, own: OwnAddress): boolean {
  const url = entryUrl(entry);
  if (url !== undefined) return isOwnUrl(url, own);
  const words = commandWords(entry);
  const isProgram = words.slice(0, 4).some((word) => /(?:^|[/\\])mcp-gateway(?:\.exe)?(?:@[\w.-]+)?$/.test(word));
  // A bridge such as mcp-remote that leads here.
  return isProgram || words.some((word) => /^https?:\/\//.test(word) && isOwnUrl(word, own));
}

function isOwnUrl(text: string, { port, host, publicHost }: OwnAddress): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  if (url.hostname === publicHost) return true;
  const given = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return given === port && (isLoopback(url) || url.hostname === host);
}

export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\]|0\.0\.0\.0)$/.test(hostname);
}

/** The servers without the gateway itself and without doubles, each with a name of its own, in the order they were found. */
export function distinctServers(
  found: readonly FoundServer[],
  { own, reserved }: { readonly own: OwnAddress; readonly reserved: readonly string[] },
): FoundServer[] {
  const kept: FoundServer[] = [];
  for (const server of found) {
    if (isGateway(server.entry, own)) continue;
    const same = kept.findIndex(({ entry }) => isSameServer(entry, server.entry));
    if (same >= 0) kept[same] = merged(kept[same] as FoundServer, server);
    else kept.push({ ...server, name: freeName(server, [...reserved, ...kept.map(({ name }) => name)]) });
  }
  return kept;
}

/** Two accounts at one server are two servers. A value that is not known may be any. */
export function isSameServer(a: Settings, b: Settings): boolean {
  if (identityOf(a) !== identityOf(b)) return false;
  return ["env", "headers"].every((key) => {
    const [ours, theirs] = [textsOf(a[key]), textsOf(b[key])];
    return Object.keys(ours).every((name) => !ours[name] || !theirs[name] || theirs[name] === ours[name]);
  });
}

function merged(first: FoundServer, second: FoundServer): FoundServer {
  const entry: Record<string, unknown> = { ...second.entry, ...first.entry };
  for (const key of ["env", "headers"]) {
    const both = { ...textsOf(second.entry[key]), ...textsOf(first.entry[key]) };
    if (Object.keys(both).length > 0) entry[key] = both;
  }
  // On for one of them is on.
  if (first.entry["enabled"] !== false || second.entry["enabled"] !== false) delete entry["enabled"];
  const sources = [...first.sources, ...second.sources].filter(
    (source, at, all) => all.findIndex((other) => stableJson(other) === stableJson(source)) === at,
  );
  return { name: first.name, entry, sources, notes: [...new Set([...first.notes, ...second.notes])] };
}

function freeName({ name, sources }: FoundServer, taken: readonly string[]): string {
  const wanted = backendName(name);
  const from = backendName(sources[0]?.title ?? "").toLowerCase();
  const candidates = [wanted, `${wanted}-${from}`];
  for (let count = 2; ; count += 1) {
    const free = candidates.find((candidate) => !taken.includes(candidate));
    if (free !== undefined) return free;
    candidates.push(`${wanted}-${count}`);
  }
}

/** A name that is allowed in `backends` and easy to type. */
export function backendName(text: string): string {
  const name = text.replace(/[^\p{L}\p{N}_.-]+/gu, "-").replace(/^-+|-+$/g, "") || "server";
  return isReservedName(name) ? `server-${name.replaceAll("_", "")}` : name;
}

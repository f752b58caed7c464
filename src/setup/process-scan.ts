/** MCP servers that run on this machine and can be reached: programs that look like one, asked at the port they name. */
import { silentLogger } from "../core/log.ts";
import { systemClock } from "../lib/clock.ts";
import { basename } from "../runtime/paths.ts";
import { type RunningProcess, runningProcesses } from "../runtime/running-processes.ts";
import type { FoundServer } from "./found-server.ts";
import { backendName } from "./found-server.ts";

export interface Candidate {
  readonly name: string;
  readonly port: number;
}

/** Programs whose port is known without being named. */
const knownPorts: readonly (readonly [RegExp, number])[] = [
  [/pieces-?os/i, 39_300],
  [/^surreal$/i, 8_000],
];
const paths = ["/mcp", "/sse", "/"];
const maxCandidates = 16;
const answerMs = 1_500;
const maxAnswerBytes = 1_048_576;

/** Programs that are named like an MCP server and say which port they listen on. */
export function candidatesAmong(processes: readonly RunningProcess[]): Candidate[] {
  const found = new Map<number, Candidate>();
  for (const { argv } of processes) {
    const words = argv.slice(0, 4);
    const names = words.map((word) => basename(word));
    if (names.some((name) => /^mcp-gateway(\.exe)?$/.test(name))) continue;
    const [, known] = knownPorts.find(([name]) => name.test(names[0] ?? "")) ?? [];
    const word =
      words.find((one) => /mcp|modelcontextprotocol/i.test(one)) ?? (known === undefined ? undefined : names[0]);
    const port = portIn(argv) ?? known;
    if (word === undefined || port === undefined || found.has(port)) continue;
    found.set(port, { name: nameOf(word), port });
  }
  return [...found.values()].slice(0, maxCandidates);
}

/** Of the package it is in, where it is in one: what it starts is called `index.js` as often as not. */
function nameOf(word: string): string {
  const inPackage = /node_modules[/\\](?:@[^/\\]+[/\\])?([^/\\]+)[/\\]/.exec(word)?.[1];
  return backendName(inPackage ?? basename(word).replace(/\.(js|mjs|ts|py|exe)$/, ""));
}

function portIn(argv: readonly string[]): number | undefined {
  for (const [at, word] of argv.entries()) {
    const text = /^(?:-p|--port)$/.test(word) ? argv[at + 1] : /(?:port=|^(?:[\w.-]+)?:)(\d{2,5})$/i.exec(word)?.[1];
    const port = Number(text);
    if (text !== undefined && Number.isInteger(port) && port > 0 && port < 65_536) return port;
  }
  return undefined;
}

/** Only what answers `initialize` as an MCP server does is found. Takes a few seconds at most. */
export async function runningServers(
  processes: readonly RunningProcess[] = runningProcesses(),
): Promise<FoundServer[]> {
  const found = await Promise.all(candidatesAmong(processes).map(answering));
  return found.filter((server) => server !== undefined);
}

async function answering({ name, port }: Candidate): Promise<FoundServer | undefined> {
  const { httpConnect } = await import("../upstreams/http/connect-http.ts");
  for (const path of paths) {
    const url = `http://127.0.0.1:${port}${path}`;
    const connect = httpConnect({
      name,
      url,
      headers: {},
      maxResultBytes: maxAnswerBytes,
      clock: systemClock,
      log: silentLogger,
    });
    try {
      const connection = await connect(AbortSignal.timeout(answerMs), { onNotification() {} });
      await connection.close();
      const source = { title: "running processes", path: `port ${port}` };
      return { name, entry: { http_url: url }, sources: [source], notes: [] };
    } catch {
      // Not here: the next path.
    }
  }
  return undefined;
}

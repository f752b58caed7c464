/** Everything on this machine that is an MCP server of some client: their files, variables and running programs. */
import type { Machine } from "../runtime/machine.ts";
import { extname, join } from "../runtime/paths.ts";
import { filesBelow } from "../runtime/watch.ts";
import { type ClientFile, clients, serverFolders } from "./clients.ts";
import { backendName, distinctServers, type FoundServer, type OwnAddress } from "./found-server.ts";
import { type FileServers, readClientFile } from "./read-client-file.ts";

export interface Discovery {
  /** Each once, with a name of its own. */
  readonly servers: readonly FoundServer[];
  /** How many each source has, doubles and the gateway itself left out only where they are in the same source. */
  readonly counts: readonly { readonly title: string; readonly count: number }[];
  /** Files and entries that could not be read, one line each. */
  readonly problems: readonly string[];
}

export interface DiscoverOptions {
  /** Where the gateway itself is: what leads there is no server to import. */
  readonly own: OwnAddress;
  /** Names that a server may not get. */
  readonly reserved: readonly string[];
  /** Whether running programs are looked at and asked. */
  readonly processes: boolean;
}

const maxFilesInFolder = 100;

export async function discover(machine: Machine, options: DiscoverOptions): Promise<Discovery> {
  const [inFiles, inFolders, running] = await Promise.all([
    Promise.all(
      clients.flatMap(({ title, files }) => files(machine).map((file) => readClientFile(title, file, machine))),
    ),
    Promise.all(serverFolders(machine).map((folder) => readFolder(folder, machine))),
    options.processes ? (await import("./process-scan.ts")).runningServers() : [],
  ]);
  const files = [...inFiles, ...inFolders.flat()];
  const found = [...files.flatMap(({ servers }) => servers), ...fromEnvironment(machine), ...running];
  const titles = [...new Set(found.flatMap(({ sources }) => sources.map(({ title }) => title)))];
  const counts = titles.map((title) => {
    const own = found.filter(({ sources }) => sources.some((source) => source.title === title));
    return { title, count: distinctServers(own, options).length };
  });
  return {
    servers: distinctServers(found, options),
    counts: counts.filter(({ count }) => count > 0),
    problems: files.flatMap(({ problems }) => problems),
  };
}

async function readFolder(
  { title, folder, project }: ReturnType<typeof serverFolders>[number],
  machine: Machine,
): Promise<FileServers[]> {
  const paths = (await filesBelow(folder, [".json", ".yaml", ".yml"])).slice(0, maxFilesInFolder);
  return Promise.all(
    paths.map((path) => {
      const file: ClientFile = {
        path: join(path),
        format: extname(path) === ".json" ? "json" : "yaml",
        keys: [["mcpServers"]],
        ...(project !== undefined && { project }),
      };
      return readClientFile(title, file, machine);
    }),
  );
}

/** `MCP_SERVER_DOCS_URL=https://…` is a server called `docs`. */
function fromEnvironment({ env }: Machine): FoundServer[] {
  return Object.entries(env).flatMap(([variable, url]) => {
    const name = /^MCP_SERVER_(.+)_URL$/.exec(variable)?.[1];
    if (name === undefined || url === undefined || !URL.canParse(url)) return [];
    const sources = [{ title: "environment", path: variable }];
    return [
      { name: backendName(name.toLowerCase().replaceAll("_", "-")), entry: { http_url: url }, sources, notes: [] },
    ];
  });
}

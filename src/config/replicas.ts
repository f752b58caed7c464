/** The replicas of a backend, each as the backend it would be alone. */
import type { BackendConfig } from "./schema.ts";

export interface ReplicaConfig {
  /** Unlike those of the others. */
  readonly id: string;
  /** Scheme and host, or the program; nothing of either that could be a secret. */
  readonly address: string;
  readonly weight: number;
  /** Has the name of the whole. */
  readonly backend: BackendConfig;
}

/** Empty for a backend that is one server. */
export function replicasOf(backend: BackendConfig): readonly ReplicaConfig[] {
  const { replicas = [], ...common } = backend;
  const ids = uniqueIds(replicas.map((replica) => replica.id ?? placeOf(replica).name));
  return replicas.map(({ id: _id, weight, cwd, env, headers, ...server }, at) => ({
    id: ids[at] as string,
    address: placeOf(server).address,
    weight,
    backend: {
      ...common,
      load_balancing: undefined,
      ...server,
      cwd: cwd ?? common.cwd,
      env: { ...common.env, ...env },
      headers: { ...common.headers, ...headers },
      stop_when_idle_for: server.command === undefined ? undefined : common.stop_when_idle_for,
    },
  }));
}

function placeOf({ command, http_url, a2a_url }: Pick<BackendConfig, "command" | "http_url" | "a2a_url">): {
  name: string;
  address: string;
} {
  if (command !== undefined) {
    const program = lastPart(command[0] as string);
    return { name: program, address: program };
  }
  const url = URL.parse(http_url ?? a2a_url ?? "");
  // A socket has a path where others have a host.
  const name = url === null ? "" : url.host || lastPart(url.pathname);
  return { name, address: `${url?.protocol ?? ""}//${url?.host || url?.pathname || ""}` };
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).at(-1) as string;
}

/** Of equal ones the second is called `…-2`. */
function uniqueIds(ids: readonly string[]): string[] {
  const taken = new Set<string>();
  return ids.map((id) => {
    let unique = id;
    for (let count = 2; taken.has(unique); count++) unique = `${id}-${count}`;
    taken.add(unique);
    return unique;
  });
}

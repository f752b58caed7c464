/** Lists over many backends: all that answer in time, in configuration order, on one page. */
import { GatewayError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ListKind } from "../mcp/protocol.ts";
import type { RequestScope } from "./request-scope.ts";

/** A list that waits for a slow backend longer than this makes hosts give up on the whole gateway; the rest follows as `list_changed`. */
const patienceMs = 3_000;

export interface OwnedItem {
  readonly server: string;
  readonly item: JsonObject;
}

/** Everything is on the first page, so no cursor was ever handed out. */
export function assertFirstPage(params: JsonObject): void {
  if (params["cursor"] !== undefined)
    throw new GatewayError(
      "INVALID_PARAMS",
      `Cursor ${JSON.stringify(params["cursor"])} was not issued by this gateway`,
    );
}

/** The items of every backend this caller may use. Backends never listed before are asked, in parallel and for a bounded time. */
export async function listAll(request: RequestScope, kind: ListKind): Promise<OwnedItem[]> {
  const { host, context } = request;
  const servers = host
    .servers()
    .filter((server) => server.enabled && mayUseServer(context.caller, server.name))
    .map((server) => server.name);
  await host.catalog.ready();
  const unknown = servers.filter((server) => host.catalog.list(server, kind) === undefined);
  if (unknown.length > 0) await withPatience(request, unknown, kind);
  for (const server of servers) host.refreshIfStale(server, kind);
  return servers.flatMap((server) => (host.catalog.list(server, kind) ?? []).map((item) => ({ server, item })));
}

function withPatience({ host }: RequestScope, servers: readonly string[], kind: ListKind): Promise<void> {
  return new Promise((resolve) => {
    const cancel = host.clock.after(patienceMs, resolve);
    // Failures are the backend's own: its status says why, the others' items are listed all the same.
    void Promise.allSettled(servers.map((server) => host.ensureListed(server, kind))).then(() => {
      cancel();
      resolve();
    });
  });
}

/** Lists over many backends, in configuration order, on one page. */
import { GatewayError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ListKind } from "../mcp/protocol.ts";
import type { RequestScope } from "./request-scope.ts";

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

/** What is known now of every backend this caller may use. */
export function knownItems(request: RequestScope, kind: ListKind): OwnedItem[] {
  const { catalog } = request.host;
  return usableServers(request).flatMap((server) =>
    (catalog.list(server, kind) ?? []).map((item) => ({ server, item })),
  );
}

/** The same, after those never listed before were asked, in parallel and for a bounded time. */
export async function listAll(request: RequestScope, kind: ListKind): Promise<OwnedItem[]> {
  const { host } = request;
  await host.catalog.ready();
  const servers = usableServers(request);
  await Promise.all(servers.map((server) => host.listedSoon(server, kind)));
  for (const server of servers) host.refreshIfStale(server, kind);
  return knownItems(request, kind);
}

function usableServers({ host, caller }: RequestScope): string[] {
  return host
    .servers()
    .filter((server) => server.enabled && mayUseServer(caller, server.name))
    .map((server) => server.name);
}

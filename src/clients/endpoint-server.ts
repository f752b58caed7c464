import { GatewayError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import type { RequestScope } from "./request-scope.ts";

/**
 * The backend of `/mcp/{backend}`.
 * @throws GatewayError SERVER_NOT_FOUND when a reload has taken it, or the right to it, away
 */
export function serverOf({ host, context, caller }: RequestScope): string {
  const server = host.resolveServer(context.backend as string);
  if (server === undefined || !mayUseServer(caller, server))
    throw new GatewayError("SERVER_NOT_FOUND", `There is no backend "${context.backend}" any more`);
  return server;
}

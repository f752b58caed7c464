import { GatewayError } from "../core/errors.ts";
import { notGranted } from "../core/granted.ts";
import { mayUseServer } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { invalid, readString } from "./arguments.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { MetaContext } from "./meta-tool.ts";
import { visibleServers } from "./visible.ts";

/**
 * The configured name of the server an argument means.
 * @throws GatewayError SERVER_NOT_FOUND or NOT_GRANTED, in the same words for a server that does not exist and one that is hidden
 */
export function resolveServer(name: string, context: MetaContext): string {
  const server = context.resolveServer(name);
  if (server !== undefined && mayUseServer(context.caller, server)) return server;
  const ungranted = notGranted(context.caller, server ?? name);
  if (ungranted !== undefined) throw ungranted;
  const names = visibleServers(context).map((view) => view.name);
  throw new GatewayError("SERVER_NOT_FOUND", `No server is named "${name}"`, {
    hint: didYouMean(context.catalog.nearest(name, names, 3)) ?? "gateway_list_servers shows the servers there are",
  });
}

/** The server that the argument `server` means. @throws GatewayError INVALID_PARAMS when it is missing, SERVER_NOT_FOUND */
export function requiredServer(args: JsonObject, context: MetaContext): string {
  const wanted = readString(args, "server");
  if (wanted === undefined) throw invalid('Argument "server" is missing', "gateway_list_servers shows the servers");
  return resolveServer(wanted, context);
}

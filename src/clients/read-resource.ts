/** Finds the backend of a resource and reads it there. */
import { errorCodes } from "../core/error-codes.ts";
import { GatewayError, UpstreamRpcError } from "../core/errors.ts";
import type { ServedFile } from "../skills/served-skills.ts";
import { listAll } from "./lists.ts";
import type { RequestScope } from "./request-scope.ts";
import { ownersOf, parseQualifiedUri, requalifyContents } from "./resource-uris.ts";

/** The backend's own URI and the backends to ask for it, likeliest first; at least one. */
export async function resourceOwners(
  request: RequestScope,
  exposed: string,
): Promise<{ uri: string; servers: string[] }> {
  const [resources, templates] = await Promise.all([listAll(request, "resources"), listAll(request, "templates")]);
  const qualified = parseQualifiedUri(exposed);
  const known = new Set([...resources, ...templates].map(({ server }) => server));
  if (qualified !== undefined && known.has(qualified.server))
    return { uri: qualified.uri, servers: [qualified.server] };
  const servers = ownersOf(exposed, resources, templates);
  if (servers.length > 0) return { uri: exposed, servers };
  throw new GatewayError("RESOURCE_NOT_FOUND", `No backend offers resources, so "${exposed}" cannot be read`);
}

/** A file of an imported skill, before any that a backend may list under the same URI. */
export async function ownFile({ host }: RequestScope, uri: string): Promise<ServedFile | undefined> {
  return uri.startsWith("skill://") ? (await host.skills.served()).files.get(uri) : undefined;
}

export const notFoundCodes: readonly number[] = [errorCodes.RESOURCE_NOT_FOUND.rpc, errorCodes.INVALID_PARAMS.rpc];

/** The first answer of the backends, asked in turn; `notHere` are the codes that send us to the next one. */
export async function askOwners<T>(
  servers: readonly string[],
  notHere: readonly number[],
  ask: (server: string) => Promise<T>,
): Promise<T> {
  let refusal: unknown;
  for (const server of servers) {
    try {
      return await ask(server);
    } catch (error) {
      if (!(error instanceof UpstreamRpcError) || !notHere.includes(error.rpc.code)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

export async function readResource(request: RequestScope): Promise<string> {
  const exposed = request.params["uri"];
  if (typeof exposed !== "string") throw new GatewayError("INVALID_PARAMS", '"resources/read" needs "uri", a string');
  if (exposed.startsWith("gateway://results/"))
    return (await import("./kept-results.ts")).readKeptResult(request.context.session, exposed);
  const own = await ownFile(request, exposed);
  if (own !== undefined) {
    const { uri, mimeType } = own.resource;
    return JSON.stringify({ contents: [{ uri, mimeType, text: own.text }] });
  }
  const { uri, servers } = await resourceOwners(request, exposed);
  // Only "I do not have it" sends us to the next backend; every other failure is the answer.
  return askOwners(servers, notFoundCodes, async (server) => {
    const answer = await request.call(server, "resources/read", request.relayParams({ uri }), true);
    return uri === exposed ? answer.text : JSON.stringify(requalifyContents(answer.exactValue, server));
  });
}

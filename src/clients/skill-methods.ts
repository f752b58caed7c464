/**
 * The methods of the Skills extension on `/mcp` (SEP-2640): the imported skills, and those of backends that declare the
 * extension and are connected; a list may be a part of what there is.
 */
import { errorCodes } from "../core/error-codes.ts";
import { GatewayError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { extensionsIn, skillsExtension } from "../mcp/extensions.ts";
import { assertFirstPage, type OwnedItem } from "./lists.ts";
import type { MethodTable } from "./methods.ts";
import { askOwners, notFoundCodes } from "./read-resource.ts";
import type { RequestScope } from "./request-scope.ts";
import { distinctUris, parseQualifiedUri, requalifyResources } from "./resource-uris.ts";

/** Of one backend; what it has beyond is got by its address. */
const maxPages = 20;

export const skillMethods: MethodTable = {
  "skills/list": async (request) => {
    assertFirstPage(request.params);
    const { host } = request;
    const own = (await host.skills.served()).skills;
    const asked = backendsWithSkills(request).map((server) =>
      skillsOf(request, server).catch((error: unknown) => {
        host.log.warn("Asking a backend for its skills failed", { server, error: String(error) });
        return [];
      }),
    );
    const theirs = (await Promise.all(asked)).flat();
    const uris = own.map(({ uri }) => uri);
    const distinct = distinctUris(theirs, "uri", uris).map((item, at) => {
      const { server, item: listed } = theirs[at] as OwnedItem;
      return item === listed ? item : requalifyResources(listed, server);
    });
    return JSON.stringify({ skills: [...own.map(({ entry }) => entry), ...distinct] });
  },

  "skills/get": async (request) => {
    const uri = uriOf(request);
    const own = (await request.host.skills.served()).skills.find((skill) => skill.uri === uri);
    if (own !== undefined) return JSON.stringify({ skill: own.entry });
    return askBackends(request, uri, `No skill is served at ${uri}`, (result, server) => ({
      ...result,
      ...(isJsonObject(result["skill"]) && { skill: requalifyResources(result["skill"], server) }),
    }));
  },

  "resources/directory/read": async (request) => {
    const uri = uriOf(request);
    const resources = (await request.host.skills.served()).directories.get(uri);
    if (resources === undefined)
      return askBackends(request, uri, `${uri} is not a directory resource`, requalifyResources);
    assertFirstPage(request.params);
    return JSON.stringify({ resources });
  },
};

function uriOf({ params, message }: RequestScope): string {
  const { uri } = params;
  if (typeof uri === "string") return uri;
  throw new GatewayError("INVALID_PARAMS", `"${message.method}" needs "uri", a string`);
}

function backendsWithSkills({ host, caller }: RequestScope): string[] {
  return host.servers().flatMap(({ name, enabled }) => {
    const capabilities = host.describe(name)?.capabilities ?? {};
    const isOne = skillsExtension in extensionsIn(capabilities, [skillsExtension]);
    return enabled && isOne && mayUseServer(caller, name) ? [name] : [];
  });
}

async function skillsOf(request: RequestScope, server: string): Promise<OwnedItem[]> {
  const found: OwnedItem[] = [];
  let cursor: Json | undefined;
  for (let page = 0; page < maxPages; page++) {
    const params = request.relayParams(cursor === undefined ? {} : { cursor });
    const { exactValue } = await request.call(server, "skills/list", params, true);
    const { skills, nextCursor } = exactValue;
    if (Array.isArray(skills)) for (const item of skills) if (isJsonObject(item)) found.push({ server, item });
    if (nextCursor === undefined) break;
    cursor = nextCursor;
  }
  return found;
}

/** @param requalify for the answer to a URI that the gateway had qualified */
async function askBackends(
  request: RequestScope,
  exposed: string,
  refusal: string,
  requalify: (result: JsonObject, server: string) => JsonObject,
): Promise<string> {
  const all = backendsWithSkills(request);
  const qualified = parseQualifiedUri(exposed);
  const owner = qualified !== undefined && all.includes(qualified.server) ? qualified : undefined;
  const servers = owner === undefined ? all : [owner.server];
  if (servers.length === 0) throw new GatewayError("INVALID_PARAMS", refusal);
  const notHere = [...notFoundCodes, errorCodes.METHOD_NOT_FOUND.rpc];
  return askOwners(servers, notHere, async (server) => {
    const params = request.relayParams({ uri: owner?.uri ?? exposed });
    const answer = await request.call(server, request.message.method, params, true);
    return owner === undefined ? answer.text : JSON.stringify(requalify(answer.exactValue, server));
  });
}

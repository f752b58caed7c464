/**
 * The cards as a bill of materials: CycloneDX 1.6, in JSON. Capabilities are components, servers and the addresses behind
 * capabilities are services. Without a time in it, so that the same inventory gives the same document.
 */
import { version } from "../../core/version.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { ServerCards } from "./server-cards.ts";
import { digestOf, type TrustCard } from "./trust-card.ts";

const gateway = "mcp-gateway";

export function billOfMaterials(capabilities: readonly TrustCard[], servers: readonly ServerCards[]): JsonObject {
  /** Whether any capability has a key for it. */
  const origins = new Map<string, boolean>();
  for (const provider of capabilities.flatMap(({ providers }) => providers))
    for (const origin of provider.origins)
      origins.set(origin, provider.auth.length > 0 || origins.get(origin) === true);
  const components = capabilities.map(component);
  const services = [
    ...servers.map(serverService),
    ...[...origins].map(([origin, authenticated]) => ({
      "bom-ref": refOf(origin),
      name: origin,
      ...endpoints([origin]),
      authenticated,
      "x-trust-boundary": true,
    })),
  ];
  const direct = [...capabilities.map(({ id }) => id), ...servers.map(({ server }) => `server:${server}`)];
  const dependencies = [
    { ref: gateway, dependsOn: direct },
    ...capabilities.map(({ id, providers }) => {
      const refs = providers.flatMap((provider) => provider.origins.map(refOf));
      return { ref: id, ...(refs.length > 0 && { dependsOn: [...new Set(refs)] }) };
    }),
  ];
  const own = { type: "application", "bom-ref": gateway, name: gateway, version };
  const content: JsonObject = { metadata: { component: own }, components, services, dependencies };
  return { bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: uuidOf(content), version: 1, ...content };
}

function component(card: TrustCard): JsonObject {
  return {
    type: "application",
    "bom-ref": card.id,
    name: card.tool,
    hashes: [{ alg: "SHA-256", content: card.definition_sha256 }],
    properties: propertiesOf(card),
  };
}

function serverService({ server, providers, cards = [] }: ServerCards): JsonObject {
  const origins = [...new Set(providers.flatMap((provider) => provider.origins))];
  const tools = cards.map((card) => ({
    "bom-ref": card.id,
    name: card.tool,
    properties: [...propertiesOf(card), property("definition_sha256", card.definition_sha256)],
  }));
  return {
    "bom-ref": `server:${server}`,
    name: server,
    ...endpoints(origins),
    ...(origins.length > 0 && { authenticated: providers.every(({ auth }) => auth.length > 0) }),
    "x-trust-boundary": origins.length > 0,
    properties: providers.flatMap(({ service, program, egress, calls }) => [
      property("transport", service),
      ...(program === undefined ? [] : [property("program", program)]),
      ...(egress === undefined ? [] : [property("egress", egress)]),
      ...(calls === undefined ? [] : [property("calls", calls)]),
    ]),
    ...(tools.length > 0 && { services: tools }),
  };
}

function propertiesOf({ source, effects, pin, findings }: TrustCard): JsonObject[] {
  return [
    property("source", source),
    ...Object.entries(effects).map(([name, value]) => property(name, String(value))),
    property("pin", pin),
    ...findings.map(({ rule, where }) => property("finding", `${rule} in ${where}`)),
  ];
}

function property(name: string, value: string): JsonObject {
  return { name: `${gateway}:${name}`, value };
}

/** Addresses with a part that the call fills in are none yet. */
function endpoints(origins: readonly string[]): JsonObject {
  const known = origins.filter((origin) => !/[{}]/.test(origin) && URL.canParse(origin));
  return known.length > 0 ? { endpoints: known } : {};
}

function refOf(origin: string): string {
  return `origin:${origin}`;
}

/** Version 8 of RFC 9562: of the content. */
function uuidOf(content: JsonObject): string {
  const hex = digestOf(content);
  const variant = "89ab"[Number.parseInt(hex[16] as string, 16) % 4];
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

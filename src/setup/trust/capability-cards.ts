/** Cards of capabilities: what the file says, and where its calls go. */
import type { ListedCapability, Provider } from "../../capabilities/capability.ts";
import type { AuthSettings } from "../../capabilities/definition-schema.ts";
import { keySource, usesKey } from "../../capabilities/key-source.ts";
import { scanDefinition } from "../../catalog/integrity/poisoning.ts";
import { type CardProvider, digestOf, effectsOf, originOf, type TrustCard } from "./trust-card.ts";

export async function capabilityCards(server: string, capabilities: Iterable<ListedCapability>): Promise<TrustCard[]> {
  return Promise.all(Array.from(capabilities, (capability) => cardOf(server, capability)));
}

async function cardOf(server: string, listed: ListedCapability): Promise<TrustCard> {
  const { tool, file } = listed;
  const { providers, transform, responseTransform, projection, cacheTtlMs } = await listed.load();
  return {
    id: `capability:${listed.name}`,
    server,
    tool: listed.name,
    source: file === undefined ? "built-in" : "file",
    definition_sha256: digestOf({ tool, providers, transform, responseTransform, projection, cacheTtlMs }),
    providers: providers.map(cardProvider),
    effects: effectsOf(tool),
    findings: scanDefinition(tool, new Set()),
    // What is built in is a part of the executable, whose checksum is published.
    pin: file === undefined || file.isPinned ? "pinned" : "not pinned",
  };
}

function cardProvider({ name, action, auth }: Provider): CardProvider {
  const kinds = authOf(auth);
  if (action.service === "cli")
    return { name, service: "cli", origins: [], program: action.cli.command, egress: "full", auth: kinds };
  if (action.service === "mcp")
    return { name, service: "mcp", origins: [], calls: `${action.mcp.server}:${action.mcp.tool}`, auth: [] };
  const { endpoint, base_url } = action.http;
  const origin = originOf(endpoint ?? base_url);
  return { name, service: action.service, origins: origin === undefined ? [] : [origin], auth: kinds };
}

function authOf(auth: AuthSettings): string[] {
  if (!usesKey(auth)) return [];
  const source = keySource(auth.key);
  const kind = auth.type || "bearer";
  if (source === undefined) return [`${kind} from the file itself`];
  return [source.from === "environment" ? `${kind} from the variable ${source.name}` : `${kind} from ${source.from}`];
}

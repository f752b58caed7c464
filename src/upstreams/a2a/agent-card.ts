/**
 * The card an agent describes itself with (specification 0.3, 5.5; 1.0, 4.4.1), and which of the interfaces it names
 * the gateway uses. The card decides nothing about where credentials go: an interface counts only on the origin that
 * the configuration names (T9).
 */

import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { excerpt, protocolError } from "../http/http-errors.ts";
import { listOf } from "./agent-messages.ts";
import { type Dialect, dialects } from "./dialects.ts";

export interface AgentSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
  /** Media types; the card's own where the skill names none. */
  readonly outputModes: readonly string[];
}

export interface AgentCard {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly endpoint: URL;
  readonly dialect: Dialect;
  /** To be repeated in every request (specification 1.0, 8.3.2). */
  readonly tenant: string | undefined;
  readonly isStreaming: boolean;
  readonly outputModes: readonly string[];
  readonly skills: readonly AgentSkill[];
}

interface Interface {
  readonly url: string;
  readonly binding: string;
  readonly version: string;
  readonly tenant: string | undefined;
}

/** Each becomes a tool with a schema, a hundred times as long as the shortest skill. */
const maxSkills = 1_000;

/**
 * @param configured `a2a_url`
 * @throws UpstreamError UPSTREAM_PROTOCOL when it is no card, or names no interface that may be used
 */
export function readCard(server: string, text: string, configured: URL): AgentCard {
  const card = parse(server, text);
  const { name, version, description, capabilities } = card;
  const used = chosenOf(server, interfacesOf(card), configured);
  const outputModes = textsOf(card["defaultOutputModes"]);
  const skills = Array.isArray(card["skills"]) ? card["skills"] : [];
  if (skills.length > maxSkills)
    throw protocolError(
      server,
      `has an agent card with ${skills.length} skills, and more than ${maxSkills} are not read`,
    );
  return {
    name: String(name),
    version: textOf(version),
    description: textOf(description),
    ...used,
    isStreaming: isJsonObject(capabilities) && capabilities["streaming"] === true,
    outputModes,
    skills: skills.flatMap((skill: unknown) => readSkill(skill, outputModes) ?? []),
  };
}

function parse(server: string, text: string): JsonObject {
  let card: unknown;
  try {
    card = JSON.parse(text);
  } catch (cause) {
    throw protocolError(server, `has an agent card that is not valid JSON: ${excerpt(text)}`, { cause });
  }
  if (!isJsonObject(card) || typeof card["name"] !== "string")
    throw protocolError(server, `has an agent card without a "name": ${excerpt(text)}`, {
      hint: 'Check "a2a_url" and "a2a_agent_card_path" of the backend',
    });
  return card;
}

/** In the order of the agent's preference. */
function interfacesOf({ supportedInterfaces, url, preferredTransport, additionalInterfaces }: JsonObject): Interface[] {
  // Agents that speak both name the older interfaces in either place.
  const older = [{ url, transport: preferredTransport }, ...listOf(additionalInterfaces)];
  return [
    ...listOf(supportedInterfaces).map(({ url, protocolBinding, protocolVersion, tenant }) => ({
      url: textOf(url),
      binding: textOf(protocolBinding),
      version: textOf(protocolVersion),
      tenant: textOf(tenant) || undefined,
    })),
    ...older.map(({ url, transport }) => ({
      url: textOf(url),
      binding: textOf(transport) || "JSONRPC",
      version: "0.3",
      tenant: undefined,
    })),
  ].filter(({ url }) => url !== "");
}

function chosenOf(
  server: string,
  interfaces: readonly Interface[],
  configured: URL,
): Pick<AgentCard, "endpoint" | "dialect" | "tenant"> {
  const spoken = interfaces.flatMap(({ url, binding, version, tenant }) => {
    const dialect = dialectOf(version);
    return binding.toUpperCase() === "JSONRPC" && dialect !== undefined ? [{ url, dialect, tenant }] : [];
  });
  const offered = interfaces.map(({ binding, version }) => `${binding} ${version}`).join(", ");
  if (spoken.length === 0)
    throw protocolError(
      server,
      `offers no interface the gateway speaks: ${excerpt(offered) || "its card names none"}`,
      {
        hint: "The gateway speaks A2A 0.2, 0.3 and 1.0 over JSON-RPC",
      },
    );
  for (const { url, dialect, tenant } of spoken) {
    const endpoint = URL.parse(url);
    if (endpoint?.origin !== configured.origin || !/^https?:$/.test(endpoint.protocol)) continue;
    // Credentials are the configuration's alone.
    endpoint.username = endpoint.password = endpoint.hash = "";
    return { endpoint, dialect, tenant };
  }
  const named = excerpt(spoken[0]?.url ?? "");
  throw protocolError(
    server,
    `has an agent card that names "${named}" as its address, but "a2a_url" is on ${configured.origin}: set "a2a_url" to that address if it is the right one, else correct the card at the agent`,
  );
}

function dialectOf(version: string): Dialect | undefined {
  if (/^1(\.|$)/.test(version)) return dialects["1.0"];
  return /^0\.[23](\.|$)/.test(version) ? dialects["0.3"] : undefined;
}

function readSkill(skill: unknown, outputModes: readonly string[]): AgentSkill | undefined {
  if (!isJsonObject(skill)) return undefined;
  const { id, name, description, tags, examples } = skill;
  const identity = textOf(id) || textOf(name);
  if (identity === "") return undefined;
  const modes = textsOf(skill["outputModes"]);
  return {
    id: identity,
    name: textOf(name) || identity,
    description: textOf(description),
    tags: textsOf(tags),
    examples: textsOf(examples),
    outputModes: modes.length > 0 ? modes : outputModes,
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

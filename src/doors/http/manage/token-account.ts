/**
 * What the gateway's way of showing tools costs and saves, in tokens, reckoned from the tool lists that this gateway's
 * own backends gave: nothing is assumed about how long a tool's description is.
 */
import { anonymousCaller } from "../../../core/caller.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import { neverCancelled } from "../../../lib/cancellation.ts";
import { estimateTokens } from "../../../lib/estimate-tokens.ts";
import { isJsonObject, type JsonObject } from "../../../lib/json.ts";

export interface TokenAccount {
  /** By server: its tools, and what their definitions cost in every request of a model that is given all of them. */
  readonly servers: readonly { readonly server: string; readonly tools: number; readonly tokens: number }[];
  /** Enabled servers whose tools were never seen, which are not in it. */
  readonly unknown: readonly string[];
  /** What all those definitions cost. */
  readonly direct: number;
  /** What the gateway's own list costs instead. */
  readonly gateway: number;
}

/** A model is shown name, description and input schema of a tool, and nothing else. */
function definitionTokens({ name, description, inputSchema }: JsonObject): number {
  return estimateTokens(JSON.stringify({ name, description, inputSchema }));
}

interface Reckoned {
  readonly revision: number;
  readonly config: Gateway["config"];
  readonly account: TokenAccount;
}
const reckoned = new WeakMap<Gateway, Reckoned>();

export async function tokenAccount(gateway: Gateway): Promise<TokenAccount> {
  await gateway.catalog.ready();
  const { config, catalog } = gateway;
  const known = reckoned.get(gateway);
  if (known?.revision === catalog.revision && known.config === config) return known.account;
  const { revision } = catalog;
  const enabled = gateway.servers().filter((server) => server.enabled);
  const servers = enabled.flatMap(({ name }) => {
    const tools = catalog.list(name, "tools");
    if (tools === undefined) return [];
    return [
      { server: name, tools: tools.length, tokens: tools.reduce((sum, tool) => sum + definitionTokens(tool), 0) },
    ];
  });
  const account: TokenAccount = {
    servers,
    unknown: enabled.map(({ name }) => name).filter((name) => catalog.list(name, "tools") === undefined),
    direct: servers.reduce((sum, { tokens }) => sum + tokens, 0),
    gateway: await ownListTokens(gateway),
  };
  reckoned.set(gateway, { revision, config, account });
  return account;
}

/** Of the list that a client without limits gets, asked for as it does. */
async function ownListTokens(gateway: Gateway): Promise<number> {
  const message = { kind: "request", id: 1, method: "tools/list", params: {} } as const;
  const text = await gateway.face.handle(message, {
    caller: anonymousCaller,
    session: undefined,
    backend: undefined,
    requestId: "token-account",
    signal: neverCancelled,
    emit: () => false,
  });
  const response: unknown = text === undefined ? undefined : JSON.parse(text);
  const result = isJsonObject(response) ? response["result"] : undefined;
  const tools = isJsonObject(result) ? result["tools"] : undefined;
  return Array.isArray(tools) ? tools.filter(isJsonObject).reduce((sum, tool) => sum + definitionTokens(tool), 0) : 0;
}

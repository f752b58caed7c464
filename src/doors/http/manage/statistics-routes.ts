/** What was measured: calls by tool, over this and earlier runs, and what the gateway saves in tokens. */

import { GatewayError } from "../../../core/errors.ts";
import { oversees } from "../../../core/role.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { type CallKind, callKinds, noCalls } from "../../../observe/call-kind.ts";
import { callsOf, profileView, type ToolProfile } from "../../../observe/tool-profile.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { tokenAccount } from "./token-account.ts";
import { wholeNumber } from "./whole-number.ts";

export const statisticsRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/stats", who: "viewer", run: statistics },
];

const defaultPrice = 15;
const topTools = 10;
/** Each with its 24 hours is a kilobyte and a half. */
const defaultTools = 200;

async function statistics({ gateway, query, visit: { caller } }: Task): Promise<JsonObject> {
  const price = Number(query.get("price") ?? defaultPrice);
  if (!(price >= 0)) throw new GatewayError("INVALID_PARAMS", '"price" must be dollars per million tokens');
  const observatory = await gateway.operation.observatory();
  const { profiles, clients, since } = await observatory.all();
  const account = await tokenAccount(gateway);
  const servers = account.servers.filter(({ server }) => oversees(caller, server));
  const direct = servers.reduce((sum, { tokens }) => sum + tokens, 0);
  const now = Date.now();
  const rows = [...profiles].flatMap(([server, tools]) =>
    [...tools].filter(([tool]) => oversees(caller, server, tool)).map(([tool, profile]) => ({ server, tool, profile })),
  );
  rows.sort((a, b) => callsOf(b.profile) - callsOf(a.profile));
  const totals = totalsOf(rows.map(({ profile }) => profile));
  const discovery = Object.entries(clients.discovery).map(([name, { calls, tokens }]) => ({ name, calls, tokens }));
  const spent = discovery.reduce((sum, { tokens }) => sum + tokens, 0);
  // While no list is known, nothing is known of what they would cost.
  const isKnown = gateway.config.meta_mcp.enabled && servers.length > 0;
  const perSession = isKnown ? direct - account.gateway : 0;
  const saved = perSession * clients.sessions - spent;
  const invocations = rows.reduce((sum, { profile }) => sum + callsOf(profile), 0);
  return {
    since: new Date(since).toISOString(),
    invocations,
    ...totals,
    cache_hits: totals.cached,
    cache_hit_rate: `${(invocations === 0 ? 0 : (totals.cached / invocations) * 100).toFixed(1)}%`,
    tools_available: servers.reduce((sum, { tools }) => sum + tools, 0),
    tools_called: rows.length,
    tokens_saved: saved,
    estimated_savings_usd: `${saved < 0 ? "-" : ""}$${Math.abs((saved * price) / 1e6).toFixed(2)}`,
    price_per_million: price,
    tokens: {
      tokenizer: "o200k_base, estimated within 8 %",
      direct_list: direct,
      gateway_list: account.gateway,
      saved_per_session: perSession,
      sessions: clients.sessions,
      discovery,
      discovery_tokens: spent,
      servers,
      not_listed: account.unknown.filter((server) => oversees(caller, server)),
    },
    top_tools: rows.slice(0, topTools).map(({ server, tool, profile }) => ({ server, tool, count: callsOf(profile) })),
    tools: rows.slice(0, wholeNumber(query, "tools", defaultTools)).map(({ server, tool, profile }) => ({
      server,
      tool,
      ...profileView(profile, now, gateway.operation.redact),
    })),
  };
}

function totalsOf(profiles: readonly ToolProfile[]): Record<CallKind, number> {
  const totals = noCalls();
  for (const { kinds } of profiles) for (const kind of callKinds) totals[kind] += kinds[kind];
  return totals;
}

/** The control plane on one page: what there is, under which policies, how it is, and what waits for a decision. */
import { whyHeld } from "../../../catalog/integrity/definition-guard.ts";
import { configView } from "../../../config/config-view.ts";
import { hasRole, oversees, overseesAll, roleOf } from "../../../core/role.ts";
import { isAnothers } from "../../../core/scope.ts";
import { principalOf } from "../../../gateway/principals.ts";
import { type JsonObject, stableJson } from "../../../lib/json.ts";
import { isHealthy, lifecycleOf } from "../../../meta/lifecycle.ts";
import type { JournalEntry } from "../../../observe/journal/journal.ts";
import { sha256Hex } from "../../../runtime/digest.ts";
import { toolTargetId } from "./decisions.ts";
import type { Task } from "./route.ts";

const maxTools = 2_000;
const maxJournal = 200;
const shownPrincipal = 16;

/** Definitions stay the same object until their server lists something else. */
const digests = new WeakMap<JsonObject, string>();

/** `GET /ui/api/control-plane` */
export async function controlPlane(task: Task): Promise<JsonObject> {
  const { gateway, visit } = task;
  const { caller } = visit;
  await gateway.catalog.ready();
  const journal = await gateway.controlPlane.journal();
  const seen = journal.filter(({ server, tool }) => mayKnow(task, server, tool));
  const isWhole = overseesAll(caller);
  const config = isWhole ? await configView(gateway.config, gateway.operation.redact) : undefined;
  const exported = await gateway.controlPlane.exported();
  return {
    actor: { name: caller.name, principal: caller.principal.slice(0, shownPrincipal), role: roleOf(caller) ?? null },
    mutation_enabled: hasRole(caller, "operator"),
    inventory: { ...inventory(task), callers: isWhole ? callers(task) : null },
    // They are about everything there is: who may use only some of it learns nothing of the rest by them.
    policies: config === undefined ? null : policiesIn(config),
    runtime: runtime(task, isWhole),
    decision_queue: await decisionQueue(task, isWhole, journal),
    journal: seen.slice(-maxJournal).map(entryView),
    export_configured: exported !== undefined,
  };
}

function mayKnow({ visit: { caller } }: Task, server: string | null, tool: string | null): boolean {
  return server === null ? overseesAll(caller) : oversees(caller, server, tool);
}

function entryView({ by, ...entry }: JournalEntry): JsonObject {
  const view = by && { name: by.name, principal: by.principal.slice(0, shownPrincipal), role: by.role ?? null };
  return { ...entry, by: view };
}

function inventory({ gateway, visit: { caller } }: Task) {
  const servers = gateway.servers().filter(({ name }) => oversees(caller, name));
  const tools = servers.flatMap(({ name }) =>
    (gateway.catalog.list(name, "tools") ?? [])
      .filter((tool) => oversees(caller, name, String(tool["name"])))
      .filter((tool) => !isAnothers(caller, name, String(tool["name"])))
      .map((tool) => ({ server: name, name: String(tool["name"]), definition: tool })),
  );
  return {
    servers: servers.map((server) => ({
      name: server.name,
      description: server.description,
      transport: server.kind,
      runtime: server.runtime ?? null,
      enabled: server.enabled,
    })),
    tools: tools
      .slice(0, maxTools)
      .map(({ server, name, definition }) => ({ server, name, definition_sha256: digestOf(definition) })),
    tool_count: tools.length,
  };
}

function digestOf(definition: JsonObject): string {
  const digest = digests.get(definition) ?? sha256Hex(stableJson(definition));
  digests.set(definition, digest);
  return digest;
}

/** Who may come in, without what they show for it. */
function callers({ gateway: { config } }: Task): JsonObject[] {
  const { auth, key_server, agent_auth, mtls } = config;
  const rights = (one: Rights) => ({
    role: one.admin ? "admin" : null,
    backends: one.backends,
    allowed_tools: one.allowed_tools ?? null,
    denied_tools: one.denied_tools ?? null,
    rate_limit: one.rate_limit,
    profile: one.profile ?? null,
  });
  return [
    ...(auth.bearer_token === undefined ? [] : [{ kind: "bearer", name: "bearer", role: "admin", backends: ["*"] }]),
    ...auth.api_keys.map((one) => ({
      kind: "key",
      name: one.name || principalOf("key", one.key).slice(0, 12),
      ...rights(one),
    })),
    ...auth.users.map((one) => ({ kind: "user", name: one.name, ...rights(one) })),
    ...auth.issuers.flatMap(({ issuer, rules }) =>
      rules.map((one) => ({
        kind: "issuer",
        name: issuer,
        match: one.claim === undefined ? null : `${one.claim}: ${one.value}`,
        ...rights(one),
      })),
    ),
    ...(key_server?.enabled === true ? key_server.policies : []).map(({ match, scopes }) => ({
      kind: "key_server",
      name: JSON.stringify(match),
      ...scopes,
    })),
    ...(agent_auth?.enabled === true ? agent_auth.agents : []).map(({ client_id, name, scopes }) => ({
      kind: "agent",
      name: name || client_id,
      scopes,
    })),
    ...(mtls?.enabled === true ? mtls.policies : []).map(({ match, allow, deny }) => ({
      kind: "certificate",
      name: JSON.stringify(match),
      allow: allow ?? null,
      deny: deny ?? null,
    })),
  ];
}

interface Rights {
  readonly admin: boolean;
  readonly backends: readonly string[];
  readonly allowed_tools?: readonly string[] | undefined;
  readonly denied_tools?: readonly string[] | undefined;
  readonly rate_limit: number;
  readonly profile?: string | undefined;
}

/** The sections that decide what is let through, as they are in force. */
function policiesIn({ security, cost_governance, routing_profiles, control_plane }: JsonObject): JsonObject {
  const roles = (control_plane as { role_mapping?: JsonObject } | undefined)?.role_mapping ?? null;
  return {
    security: security ?? null,
    cost_governance: cost_governance ?? null,
    routing_profiles: routing_profiles ?? null,
    role_mapping: roles,
  };
}

function runtime({ gateway, visit: { caller } }: Task, isWhole: boolean): JsonObject {
  const servers = gateway.servers().filter(({ name }) => oversees(caller, name));
  return {
    servers: servers.map((server) => ({
      name: server.name,
      lifecycle: lifecycleOf(server),
      circuit: server.circuit,
      killed: server.killed === true,
      healthy: isHealthy(server),
    })),
    draining: gateway.draining,
    degraded: isWhole ? gateway.degraded : [],
    config_error: (isWhole && gateway.configError && gateway.operation.redact(gateway.configError)) || null,
  };
}

/** Held tools, servers switched off, logins that are waited for, and budgets used up; what was refused says so. */
async function decisionQueue(
  task: Task,
  isWhole: boolean,
  journal: readonly JournalEntry[],
): Promise<readonly JsonObject[]> {
  const { gateway, visit } = task;
  const { caller } = visit;
  const held = (await gateway.heldTools()).filter(({ server, tool }) => oversees(caller, server, tool));
  const servers = gateway.servers().filter(({ name }) => oversees(caller, name));
  const budgets = isWhole && gateway.config.cost_governance.enabled ? (await gateway.costs()).budgets : [];
  return [
    ...held.map(({ server, tool, digest, seenAt, findings, approved }) => {
      const refusal = journal.findLast(
        (one) => one.action === "tool-denied" && one.server === server && one.tool === tool && one.digest === digest,
      );
      return {
        target_kind: "tool",
        target_id: toolTargetId({ server, tool, digest }),
        server,
        tool,
        digest,
        why: whyHeld({ findings, approved }),
        since: new Date(seenAt).toISOString(),
        denied: refusal === undefined ? null : entryView(refusal),
      };
    }),
    ...servers
      .filter(({ killed }) => killed === true)
      .map(({ name }) => ({ target_kind: "server", target_id: name, server: name, why: "its calls are refused" })),
    ...servers
      .filter(({ name }) => gateway.waitingForLogin.has(name))
      .map(({ name }) => ({ target_kind: "login", target_id: name, server: name, why: "it waits for a login" })),
    ...budgets
      .filter(({ percent }) => percent >= 100)
      .map(({ scope, name }) => ({ target_kind: "budget", target_id: `${scope}:${name}`, why: "it is used up today" })),
  ];
}

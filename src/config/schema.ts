/**
 * The configuration file: every active section's own schema, put together. Sections whose feature comes later are in
 * `pending/schema.ts`, which is loaded for files that have one; building schemas is a measurable part of the start.
 */
import * as v from "valibot";
import { capabilitiesSchema } from "../capabilities/schema.ts";
import { webhooksSchema } from "../capabilities/webhooks/schema.ts";
import { maybe, setting } from "../core/kinds.ts";
import { authSchema, serverSchema, streamingSchema } from "../doors/schema.ts";
import { codeModeSchema } from "../meta/code-mode/schema.ts";
import { playbooksSchema } from "../meta/playbooks/schema.ts";
import { routingProfilesSchema } from "../meta/routing/schema.ts";
import { metaMcpSchema } from "../meta/schema.ts";
import { breakerSchema } from "../stages/breaker/schema.ts";
import { concurrencySchema } from "../stages/concurrency/schema.ts";
import { costGovernanceSchema } from "../stages/cost/schema.ts";
import { errorBudgetSchema, toolErrorBudgetSchema } from "../stages/kill-switch/schema.ts";
import { rateLimitSchema } from "../stages/rate-limit/schema.ts";
import { retrySchema } from "../stages/retry/schema.ts";
import { failsafeSchema, healthCheckSchema } from "../stages/schema.ts";
import { injectedSecretSchema } from "../stages/secrets/schema.ts";
import { loadBalancingSchema, replicasSchema } from "../upstreams/group/schema.ts";
import { identityPropagationSchema } from "../upstreams/identity/schema.ts";
import { oauthSchema } from "../upstreams/oauth/schema.ts";
import { backendSchema } from "../upstreams/schema.ts";
import { backendTransformSchema } from "../upstreams/transform/schema.ts";
import type { Grants } from "./identity-grants/schema.ts";
import type { PendingConfig } from "./pending/schema.ts";
import type { RareConfig } from "./rare/schema.ts";
import { securitySchema } from "./security/schema.ts";

/** The same settings without their defaults: what is absent says nothing. */
function overridesOf<TEntries extends v.ObjectEntries>(
  schema: v.ObjectSchema<TEntries, undefined>,
): v.GenericSchema<unknown, Partial<v.InferOutput<v.ObjectSchema<TEntries, undefined>>>> {
  const entries = Object.entries(schema.entries).map(([key, entry]) => [
    key,
    v.optional("wrapped" in entry ? (entry.wrapped as v.GenericSchema) : entry),
  ]);
  return v.object(Object.fromEntries(entries)) as never;
}

const failsafeOverridesSchema = v.object({
  circuit_breaker: maybe(overridesOf(breakerSchema), "Circuit breaker"),
  retry: maybe(overridesOf(retrySchema), "Retry with back-off and budget"),
  rate_limit: maybe(overridesOf(rateLimitSchema), "Rate limit"),
  concurrency: maybe(overridesOf(concurrencySchema), "Concurrency limit"),
  error_budget: maybe(overridesOf(errorBudgetSchema), "Error budget"),
  tool_error_budget: maybe(overridesOf(toolErrorBudgetSchema), "Error budget of each tool"),
  health_check: maybe(overridesOf(healthCheckSchema), "Health checks"),
});

export const backendEntrySchema = v.object({
  ...backendSchema.entries,
  url: maybe(v.string(), "Other name of `http_url`"),
  replicas: maybe(replicasSchema, "Servers that can stand in for each other, in place of `command` or `http_url`"),
  load_balancing: maybe(loadBalancingSchema, "How calls are spread over `replicas`"),
  failsafe: maybe(failsafeOverridesSchema, "Overrides of the `failsafe` section for this backend, key by key"),
  oauth: maybe(oauthSchema, "OAuth login to the backend"),
  transform: maybe(backendTransformSchema, "How its tools look from outside"),
  secrets: maybe(v.array(injectedSecretSchema), "Secrets the server gets with calls of its tools"),
  identity_propagation: maybe(identityPropagationSchema, "How the caller's identity reaches the backend"),
});

export const configSchema = v.object({
  env_files: setting(
    v.array(v.string()),
    [],
    "Files with `NAME=value` lines; later ones win, missing ones are skipped",
  ),
  config: setting(
    v.object({ strict: setting(v.boolean(), false, "Unknown keys are errors instead of warnings") }),
    {},
    "How this file is read",
  ),
  server: setting(serverSchema, {}, "Listening address and limits"),
  auth: setting(authSchema, {}, "Who may connect"),
  meta_mcp: setting(metaMcpSchema, {}, "What clients see"),
  code_mode: setting(codeModeSchema, {}, "Search and execution in place of the meta-tools"),
  playbooks: setting(playbooksSchema, {}, "Named sequences of tool calls, from YAML files"),
  routing_profiles: setting(
    routingProfilesSchema,
    {},
    "Views of what is behind the gateway, by name; a session has one of them",
  ),
  default_routing_profile: setting(
    v.string(),
    "default",
    "Profile of sessions that name none; one that `routing_profiles` does not have leaves everything",
  ),
  streaming: setting(streamingSchema, {}, "Event streams and sessions"),
  failsafe: setting(failsafeSchema, {}, "Protection of backends; a backend's own `failsafe` overrides it"),
  backends: setting(v.record(v.string(), backendEntrySchema), {}, "The servers behind the gateway, by name"),
  capabilities: setting(capabilitiesSchema, {}, "APIs and programs as tools"),
  webhooks: setting(webhooksSchema, {}, "Events that services report to webhooks of capabilities"),
  cost_governance: setting(costGovernanceSchema, {}, "Costs and budgets"),
  security: setting(securitySchema, {}, "Firewall, policies and records"),
});

export type ParsedConfig = v.InferOutput<typeof configSchema> & Partial<PendingConfig & RareConfig>;

export type ParsedBackend = v.InferOutput<typeof backendEntrySchema>;

interface FinishedCommand {
  /** Program and arguments, never for a shell; `undefined` for a backend that is not a program. */
  readonly command: string[] | undefined;
}

type ParsedReplica = NonNullable<ParsedBackend["replicas"]>[number];

/**
 * A backend as the rest of the program sees it: durations in milliseconds, variables expanded, `args`, `idle_timeout` and
 * `url` folded into the keys they stand for. One with `replicas` has `load_balancing` too; see replicas.ts.
 */
export type BackendConfig = Omit<ParsedBackend, "command" | "url" | "replicas"> &
  FinishedCommand & {
    readonly name: string;
    readonly replicas?: readonly (Omit<ParsedReplica, "command" | "args" | "url"> & FinishedCommand)[];
  };

/** Durations are milliseconds, secrets resolved, directories absolute. `auth.bearer_token` may still be `auto`. */
export type Config = Omit<ParsedConfig, "backends"> & {
  readonly backends: Readonly<Record<string, BackendConfig>>;
  /** What is in the file of `security.identity_grants`; `undefined` while that is not asked for. */
  readonly grants?: Grants | undefined;
};

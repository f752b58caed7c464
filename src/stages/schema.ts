/**
 * The `failsafe` section: defaults for every backend; a backend's own `failsafe` overrides key by key. And the part of
 * the `security` section that stages carry out.
 */
import * as v from "valibot";
import { duration, maybe, setting } from "../core/kinds.ts";
import { breakerSchema } from "./breaker/schema.ts";
import { concurrencySchema } from "./concurrency/schema.ts";
import { contextIntegritySchema } from "./context-integrity/schema.ts";
import { firewallSchema } from "./firewall/schema.ts";
import { errorBudgetSchema, toolErrorBudgetSchema } from "./kill-switch/schema.ts";
import { rateLimitSchema } from "./rate-limit/schema.ts";
import { responseContractSchema } from "./response-contract/schema.ts";
import { retrySchema } from "./retry/schema.ts";
import { sessionSandboxSchema } from "./session-sandbox/schema.ts";
import { messageSigningSchema } from "./signature/schema.ts";
import { toolPolicySchema } from "./tool-policy/schema.ts";

export const healthCheckSchema = v.object({
  enabled: setting(v.boolean(), true, "Ping running backends, and those whose circuit is open"),
  interval: setting(duration, "10s", "Time between two pings of one backend"),
  timeout: setting(duration, "5s", "Time a backend has to answer a ping; three misses in a row restart it"),
});

export const failsafeSchema = v.object({
  circuit_breaker: setting(breakerSchema, {}, "Circuit breaker"),
  retry: setting(retrySchema, {}, "Retry with back-off and budget"),
  rate_limit: setting(rateLimitSchema, {}, "Rate limit per backend"),
  concurrency: setting(concurrencySchema, {}, "Concurrency limit per backend"),
  error_budget: setting(errorBudgetSchema, {}, "Error budget of a backend"),
  tool_error_budget: setting(toolErrorBudgetSchema, {}, "Error budget of each tool"),
  health_check: setting(healthCheckSchema, {}, "Health checks"),
});
export type FailsafeSettings = v.InferOutput<typeof failsafeSchema>;

/** Members of the `security` section. */
export const securityStageEntries = {
  sanitize_input: setting(
    v.boolean(),
    true,
    "Take control, zero-width, tag and bidirectional characters out of arguments; refuse NUL",
  ),
  tool_policy: setting(toolPolicySchema, {}, "Tools that may be called"),
  firewall: setting(firewallSchema, {}, "Firewall"),
  response_contract: setting(responseContractSchema, {}, "Limits of results"),
  response_inspection: setting(
    v.object({
      enabled: setting(v.boolean(), true, "Look for instructions to the model in results, as the firewall does"),
      action_mode: setting(v.boolean(), false, "Refuse results that hold some, instead of reporting them"),
    }),
    {},
    "What becomes of results with instructions to the model",
  ),
  context_integrity: maybe(
    contextIntegritySchema,
    "Judges what results hold: instructions, personal and financial data; without this section nothing does",
  ),
  message_signing: setting(messageSigningSchema, {}, "Signed results"),
  provenance_stamping: setting(
    v.boolean(),
    false,
    'Put a receipt on every result of a tool, in `_meta["mcp-gateway/provenance"]`; signed where GATEWAY_ATTESTATION_SIGNING_KEY is set',
  ),
  session_sandbox: setting(sessionSandboxSchema, {}, "Limits of client sessions"),
};
const securityStageSchema = v.object(securityStageEntries);
export type SecurityStageSettings = v.InferOutput<typeof securityStageSchema>;

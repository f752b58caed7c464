/** Security events in the fields of the Elastic Common Schema 8.11, which SIEMs understand without a parser of their own. */
import { type SecurityAction, type SecurityEvent, securityActions } from "../../core/security-event.ts";
import { version } from "../../core/version.ts";

const ecsVersion = "8.11.0";

/** `event.kind`, `event.category` and `event.type`: allowed values and pairs of ECS 8.11. */
type Class = readonly [kind: "event" | "alert", category: string, ...types: string[]];

const classes: Readonly<Record<SecurityAction, Class>> = {
  call: ["event", "api", "access"],
  "call-denied": ["event", "api", "access", "denied"],
  "firewall-finding": ["alert", "intrusion_detection", "info"],
  "authentication-failed": ["event", "authentication", "start"],
  "operation-denied": ["event", "api", "admin", "denied"],
  "tool-quarantined": ["alert", "intrusion_detection", "denied"],
  "tool-approved": ["event", "configuration", "change"],
  "tool-denied": ["event", "configuration", "change"],
  "server-killed": ["event", "configuration", "change"],
  "server-revived": ["event", "configuration", "change"],
  "server-restarted": ["event", "process", "start"],
  "server-stopped": ["event", "process", "end"],
  "error-budget-used-up": ["alert", "api", "denied"],
  "configuration-reloaded": ["event", "configuration", "change"],
  "configuration-changed": ["event", "configuration", "change"],
};

/** Longest text of a field, in characters: lines stay below what forwarders take. */
const maxText = 500;

/** @param at calendar milliseconds @param redact takes secrets out, before anything is cut */
export function ecsLine(event: SecurityEvent, at: number, redact: (text: string) => string): string {
  const { action, by, server, method, tool, digest, requestId, address, code, detail, reason, rollback, failed } =
    event;
  const text = (value: string | undefined) => (value === undefined ? undefined : redact(value).slice(0, maxText));
  const [kind, category, ...type] = classes[action];
  return JSON.stringify({
    "@timestamp": new Date(at).toISOString(),
    ecs: { version: ecsVersion },
    message: text(detail),
    event: {
      kind,
      category: [category],
      type,
      action,
      outcome: failed ? "failure" : "success",
      module: "mcp_gateway",
      dataset: `mcp_gateway.${securityActions[action]}`,
      code,
      reason: text(reason),
    },
    service: { type: "mcp-gateway", version },
    user: by && { name: text(by.name), id: by.principal, roles: by.role && [by.role] },
    source: address === undefined ? undefined : { ip: address },
    http: requestId === undefined ? undefined : { request: { id: text(requestId) } },
    mcp_gateway: {
      server: text(server),
      method,
      tool: text(tool),
      definition_sha256: digest,
      rollback: text(rollback),
    },
  });
}

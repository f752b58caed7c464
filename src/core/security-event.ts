/** What happens to the security of the gateway, as operators and SIEMs are told of it. Never arguments, results or secrets. */
import type { Caller } from "./caller.ts";
import { type Role, roleOf } from "./role.ts";

/** Each with the source it is counted under; what is of the control plane is kept in the journal as well. */
export const securityActions = {
  call: "calls",
  "call-denied": "calls",
  "firewall-finding": "firewall",
  "authentication-failed": "access",
  "operation-denied": "access",
  "tool-quarantined": "control_plane",
  "tool-approved": "control_plane",
  "tool-denied": "control_plane",
  "server-killed": "control_plane",
  "server-revived": "control_plane",
  "server-restarted": "control_plane",
  "server-stopped": "control_plane",
  "error-budget-used-up": "control_plane",
  "configuration-reloaded": "control_plane",
  "configuration-changed": "control_plane",
} as const;

export type SecurityAction = keyof typeof securityActions;
export type EventSource = (typeof securityActions)[SecurityAction];

export interface Actor {
  /** {@link Caller.name} and {@link Caller.principal}. */
  readonly name: string;
  readonly principal: string;
  readonly role: Role | undefined;
}

/** Who does something as an operator, and why. */
export interface Act {
  readonly by: Actor;
  readonly reason?: string | undefined;
  /** How it can be undone, in the operator's own words. */
  readonly rollback?: string | undefined;
}

export interface SecurityEvent extends Partial<Act> {
  readonly action: SecurityAction;
  /** Absent, it was done. */
  readonly failed?: boolean;
  readonly server?: string | undefined;
  /** Of MCP. */
  readonly method?: string | undefined;
  readonly tool?: string | undefined;
  /** SHA-256 of the tool's definition, in hex. */
  readonly digest?: string | undefined;
  readonly requestId?: string | undefined;
  /** Of the other end. */
  readonly address?: string | undefined;
  /** Of the table of error codes. */
  readonly code?: string | undefined;
  /** What happened, in words; may quote what others wrote. */
  readonly detail?: string | undefined;
}

/** Quick, and throws nothing: it is told on the path of calls. */
export type SecurityEventSink = (event: SecurityEvent) => void;

export function actorOf(caller: Caller): Actor {
  return { name: caller.name, principal: caller.principal, role: roleOf(caller) };
}

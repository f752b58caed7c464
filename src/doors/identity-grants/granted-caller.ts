/**
 * The caller as far as the grants of identities let him (`security.identity_grants`): they take away from what he may
 * use otherwise, and never add to it. Admins need none. Loaded with the first request that they are asked for.
 */
import type { Grant, Grants } from "../../config/identity-grants/schema.ts";
import type { Caller, GrantedUse } from "../../core/caller.ts";
import { toolMatches } from "../../core/scope.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { globMatches } from "../../lib/glob.ts";

interface Granted {
  readonly caller: Caller;
  readonly grants: Grants;
  /** Calendar milliseconds at which the first of the grants ends. */
  readonly endsAt: number;
}

/** @param calendar time in milliseconds */
export function createGrantedCallers(
  gateway: Pick<Gateway, "config">,
  calendar: () => number = Date.now,
): (caller: Caller) => Caller {
  /** Lists are remembered by caller, so equal ones must be one, and another one when the grants are others. */
  const granted = new WeakMap<Caller, Granted>();

  return (caller) => {
    const { grants } = gateway.config;
    if (grants === undefined || caller.admin) return caller;
    const now = calendar();
    let found = granted.get(caller);
    if (found === undefined || found.grants !== grants || found.endsAt <= now) {
      const ends = grantsOf(caller, grants).flatMap(({ endsAt = 0 }) => (endsAt > now ? [endsAt] : []));
      found = {
        caller: { ...caller, grants: liveGrants(caller, gateway, calendar) },
        grants,
        endsAt: Math.min(...ends),
      };
      granted.set(caller, found);
    }
    return found.caller;
  };
}

/** A session keeps its caller until the next request, and what it is told meanwhile goes by the grants of the moment. */
function liveGrants(caller: Caller, gateway: Pick<Gateway, "config">, calendar: () => number): GrantedUse {
  let of: Grants | undefined;
  let own: readonly Grant[] = [];
  return {
    allow(server, tool) {
      const { grants } = gateway.config;
      if (grants === undefined) return true;
      if (of !== grants) own = grantsOf(caller, grants);
      of = grants;
      return own.some(
        ({ servers, tools, endsAt }) =>
          (endsAt === undefined || endsAt > calendar()) &&
          servers.some((pattern) => globMatches(pattern, server)) &&
          (tool === undefined || toolMatches(tools, server, tool)),
      );
    },
    get missing() {
      return { subject: subjectOf(caller), path: gateway.config.security.identity_grants.path };
    },
  };
}

function grantsOf(caller: Caller, grants: Grants): readonly Grant[] {
  return grants === "unreadable" ? [] : grants.filter((grant) => isFor(grant, caller));
}

function isFor({ subject, email, group }: Grant, caller: Caller): boolean {
  const { groups = [], email: own } = caller.identity ?? {};
  return (
    (subject === undefined || globMatches(subject, subjectOf(caller))) &&
    (email === undefined || (own !== undefined && globMatches(email, own))) &&
    (group === undefined || groups.some((one) => globMatches(group, one)))
  );
}

/** `AUTHORITY:SUBJECT`; empty for who is nobody in particular. */
function subjectOf({ identity }: Caller): string {
  if (identity === undefined) return "";
  return identity.issuer === undefined ? identity.subject : `${identity.issuer}:${identity.subject}`;
}

/** The roles of `control_plane.role_mapping`: for identities an issuer vouches for, on top of what its rules give. */
import type { Caller } from "../../core/caller.ts";
import { higherRole, type Role, roleOf } from "../../core/role.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { globMatches } from "../../lib/glob.ts";
import type { KeyHolder } from "../http/key-table.ts";
import type { Identity } from "../key-server/identity.ts";

type Mapping = Gateway["config"]["control_plane"];

/**
 * The first rule that fits decides. A role only ever adds: an admin by other rules stays one.
 * @param most the highest role there is to be had
 */
export function withRole(holder: KeyHolder, identity: Identity, mapping: Mapping, most: Role = "admin"): KeyHolder {
  const { caller } = holder;
  const rule = mapping?.role_mapping.rules.find((one) => fits(one, identity));
  if (rule === undefined) return holder;
  const given = rule.role === "admin" ? most : rule.role;
  return { ...holder, caller: asRole(caller, higherRole(roleOf(caller), given)) };
}

function asRole(caller: Caller, role: Role | undefined): Caller {
  return role === "admin" ? { ...caller, admin: true } : { ...caller, role };
}

type Rule = NonNullable<Mapping>["role_mapping"]["rules"][number];

/** The case of mail addresses says nothing. */
function fits({ issuer, group, email, domain }: Rule, identity: Identity): boolean {
  const isLike = (pattern: string | undefined, value: string | undefined) =>
    pattern === undefined || (value !== undefined && globMatches(pattern.toLowerCase(), value));
  return (
    issuer === identity.issuer &&
    (group === undefined || identity.groups.some((one) => globMatches(group, one))) &&
    isLike(email, identity.email) &&
    isLike(domain, identity.email?.split("@").slice(1).at(-1))
  );
}

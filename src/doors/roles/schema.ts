import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";

const ruleSchema = v.object({
  issuer: v.pipe(v.string(), v.minLength(1), v.description("Issuer of the token, exactly as its tokens name it")),
  group: maybe(v.string(), "Group the token must name in `groups`, as a glob"),
  email: maybe(v.string(), "Mail address the issuer must vouch for, as a glob"),
  domain: maybe(v.string(), "Domain of that address, as a glob"),
  role: v.pipe(
    v.picklist(["viewer", "operator", "admin"]),
    v.description("`viewer` reads, `operator` also switches, approves and reloads, `admin` does everything"),
  ),
});

export const roleMappingSchema = v.object({
  rules: setting(
    v.array(ruleSchema),
    [],
    "The first rule that fits gives the role; a rule without `group`, `email` and `domain` fits all of its issuer",
  ),
});
export type RoleMappingSettings = v.InferOutput<typeof roleMappingSchema>;

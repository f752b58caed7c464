import * as v from "valibot";
import { maybe, positiveInteger, setting } from "../../../core/kinds.ts";

const required = v.pipe(v.string(), v.minLength(1));

export const controlPlaneSchema = v.object({
  role_mapping: setting(
    v.object({
      rules: setting(
        v.array(
          v.object({
            issuer: required,
            group: maybe(v.string(), "Group of the person"),
            email: maybe(v.string(), "Mail address of the person"),
            domain: maybe(v.string(), "Mail domain of the person"),
            role: required,
          }),
        ),
        [],
        "The first rule that matches gives the role",
      ),
    }),
    {},
    "Roles by identity",
  ),
  export: setting(
    v.object({
      enabled: setting(v.boolean(), false, "Write events for a SIEM"),
      sink_path: setting(v.string(), "~/.mcp-gateway/export/siem.ndjson", "File the events go to"),
      poll_interval_secs: setting(positiveInteger, 15, "Seconds between two writes"),
      max_batch: maybe(positiveInteger, "Events written at once"),
    }),
    {},
    "Export of events",
  ),
});

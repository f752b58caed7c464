import * as v from "valibot";
import { setting } from "../core/kinds.ts";

export const capabilitiesSchema = v.object({
  enabled: setting(v.boolean(), true, "Offer APIs and programs described by YAML files as tools"),
  name: setting(
    v.string(),
    "gateway",
    "Backend name of the capabilities; `gateway`, `fulcrum` and `capabilities` always work too",
  ),
  directories: setting(
    v.array(v.string()),
    ["capabilities"],
    "Folders watched for capability files, besides the built-in ones",
  ),
  builtin: setting(v.boolean(), true, "Offer the capabilities embedded in the program"),
});

import * as v from "valibot";
import { globs, maybe, setting } from "../../core/kinds.ts";

const routingProfileSchema = v.object({
  description: setting(v.string(), "", "What the profile is for"),
  allow_backends: maybe(globs, "Backends a session with this profile sees; all when absent"),
  deny_backends: maybe(globs, "Backends it does not see, whatever is allowed"),
  allow_tools: maybe(globs, "Tools a session with this profile sees; all when absent"),
  deny_tools: maybe(globs, "Tools it does not see, whatever is allowed"),
});

export const routingProfilesSchema = v.record(v.string(), routingProfileSchema);
export type RoutingProfilesSettings = v.InferOutput<typeof routingProfilesSchema>;

import * as v from "valibot";
import { globs, maybe, setting } from "../../core/kinds.ts";
import { resultTransformSchema } from "../../core/transform/schema.ts";

export const backendTransformSchema = v.object({
  namespace: setting(v.string(), "", "Put before the name of every tool, such as `gh_`"),
  show: maybe(globs, "Only these tools, as globs on the server's own names"),
  hide: setting(globs, [], "None of these tools, whatever `show` says"),
  rename: setting(v.record(v.string(), v.string()), {}, "Other names for tools, by the server's own"),
  tools: setting(
    v.record(
      v.string(),
      v.object({
        description: maybe(v.string(), "Instead of the server's own"),
        annotations: setting(
          v.record(v.string(), v.union([v.boolean(), v.string()])),
          {},
          "Instead of what the server says: `readOnlyHint: true` lets calls be repeated and cached",
        ),
        arguments: setting(v.looseObject({}), {}, "Always sent so, and not shown to the model"),
        response: maybe(resultTransformSchema, "What becomes of results"),
      }),
    ),
    {},
    "Changes to single tools, by the server's own name or a glob on it; the first that fits",
  ),
  response: maybe(resultTransformSchema, "What becomes of results of all other tools"),
});
export type BackendTransformSettings = v.InferOutput<typeof backendTransformSchema>;

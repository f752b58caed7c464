/** How a result is made smaller, clearer or poorer in secrets; for capabilities and for backends. */
import * as v from "valibot";
import { maybe, setting } from "../kinds.ts";

export const resultTransformSchema = v.object({
  project: setting(
    v.array(v.string()),
    [],
    "Keep only these parts: dotted paths such as `items.name`, which means every element of a list; `items[0]` means one",
  ),
  rename: setting(
    v.record(v.string(), v.string()),
    {},
    "New names of members: dotted path as for `project`, to the last part's new name",
  ),
  redact: setting(
    v.array(
      v.object({
        pattern: v.pipe(v.string(), v.description("Regular expression for what no text may hold; `(?i)` ignores case")),
        replacement: setting(v.string(), "[REDACTED]", "What stands there instead; `$1` is the first group"),
      }),
    ),
    [],
    "Taken out of every text",
  ),
  format: maybe(
    v.object({
      type: v.pipe(
        v.picklist(["flat", "nested", "template"]),
        v.description("One level with dotted names; dotted names as levels; a text"),
      ),
      template: maybe(v.string(), "For `template`: text with `{path}`, once for each element of a list"),
    }),
    "Shape of what is left",
  ),
});
export type ResultTransformSettings = v.InferOutput<typeof resultTransformSchema>;

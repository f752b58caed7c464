import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const playbooksSchema = v.object({
  enabled: setting(v.boolean(), false, "Offer playbooks: named sequences of tool calls"),
  directories: setting(v.array(v.string()), ["playbooks"], "Folders with playbook files"),
});
export type PlaybooksSettings = v.InferOutput<typeof playbooksSchema>;

import * as v from "valibot";
import { setting } from "../core/kinds.ts";

export const skillsSchema = v.object({
  enabled: setting(v.boolean(), true, "Serve the skills that `mcp-gateway skills import` keeps to clients"),
});

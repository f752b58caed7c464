/** Active sections that few files have: loaded, as the pending ones are, for those that do. */
import * as v from "valibot";
import { setting } from "../../core/kinds.ts";
import { mtlsSchema } from "../../doors/tls/schema.ts";
import { skillsSchema } from "../../skills/schema.ts";

export const rareSections = {
  mtls: setting(mtlsSchema, {}, "TLS and client certificates"),
  skills: setting(skillsSchema, {}, "Instructions for agents, as resources"),
};

const rareSchema = v.object(rareSections);
export type RareConfig = v.InferOutput<typeof rareSchema>;

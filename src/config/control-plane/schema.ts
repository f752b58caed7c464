/** The `control_plane` section: who has which role, and what a SIEM is told. */
import * as v from "valibot";
import { setting } from "../../core/kinds.ts";
import { roleMappingSchema } from "../../doors/roles/schema.ts";
import { siemExportSchema } from "../../observe/siem/schema.ts";

export const controlPlaneSchema = v.object({
  role_mapping: setting(roleMappingSchema, {}, "Roles by identity"),
  export: setting(siemExportSchema, {}, "Events for a SIEM"),
});

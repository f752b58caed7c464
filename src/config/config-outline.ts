/** The outline of the configuration: worked out here, in the executable ready-made (`deploy/embed-plugin.ts`). */
import { type ObjectOutline, outlineOf } from "./outline.ts";
import { configSchema } from "./schema.ts";

export const configOutline = outlineOf(configSchema) as ObjectOutline;

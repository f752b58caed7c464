/** Sections whose feature does not exist yet. They are checked in full; using one is said, once per start. */
import * as v from "valibot";
import { setting } from "../../core/kinds.ts";
import { marketplaceSchema } from "./marketplace/schema.ts";

export const pendingSections = {
  marketplace: setting(marketplaceSchema, {}, "Plugin marketplace"),
};

const pendingSchema = v.object(pendingSections);
export type PendingConfig = v.InferOutput<typeof pendingSchema>;

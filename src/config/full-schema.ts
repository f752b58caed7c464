/** The schema a file is held against: the active sections alone when it has no others, because the rest costs start-up time. */
import * as v from "valibot";
import { configSchema, type ParsedConfig } from "./schema.ts";

export type FullSchema = v.GenericSchema<unknown, ParsedConfig>;

/** Every section there is. */
async function fullSchema(): Promise<FullSchema> {
  const [{ rareSections }, { pendingSections }] = await Promise.all([
    import("./rare/schema.ts"),
    import("./pending/schema.ts"),
  ]);
  return v.object({ ...configSchema.entries, ...rareSections, ...pendingSections });
}

/** The schema that has all of these sections, and every section if one of them is not an active one. */
export async function schemaFor(sections: Iterable<string>): Promise<FullSchema> {
  for (const section of sections) if (!Object.hasOwn(configSchema.entries, section)) return fullSchema();
  return configSchema;
}

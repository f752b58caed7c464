/** Setting kinds that several schemas share. Imports next to nothing but valibot, so that schemas stay light. */
import * as v from "valibot";
import { parseDurationMs } from "../lib/duration.ts";

/** A duration in the file (`30s`, `500ms`, `1h30m`, or a bare number of seconds); milliseconds once parsed. */
export const duration = v.pipe(
  v.union([v.string(), v.number()]),
  v.rawTransform<string | number, number>(({ dataset, addIssue, NEVER }) => {
    const ms = parseDurationMs(dataset.value);
    if (ms !== undefined) return ms;
    addIssue({ message: 'Expected a duration like "30s", "500ms", "1h30m" or a number of seconds' });
    return NEVER;
  }),
  v.metadata({ kind: "duration" }),
);

export const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));
export const nonNegativeInteger = v.pipe(v.number(), v.integer(), v.minValue(0));
export const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
export const ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
export const stringMap = v.record(
  v.string(),
  v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String)),
);
export const globs = v.array(v.string());

/** A string that may be `env:VAR`, resolved when the configuration is loaded, and is never shown or logged. */
export const secret = v.pipe(v.string(), v.metadata({ kind: "secret" }));

/** A setting with its default (in the file's own notation; `{}` for a section whose settings have defaults) and one sentence of documentation. */
export function setting<const TSchema extends v.GenericSchema>(
  schema: TSchema,
  fallback: v.InferInput<TSchema> | Record<string, never>,
  description: string,
): v.OptionalSchema<
  v.SchemaWithPipe<readonly [TSchema, v.DescriptionAction<v.InferOutput<TSchema>, string>]>,
  v.InferInput<TSchema>
> {
  return v.optional(v.pipe(schema, v.description(description)), fallback as never) as never;
}

/** A setting that may be absent, with one sentence of documentation. `null` in the file counts as absent. */
export function maybe<const TSchema extends v.GenericSchema>(
  schema: TSchema,
  description: string,
): v.GenericSchema<v.InferInput<TSchema> | null | undefined, v.InferOutput<TSchema> | undefined> {
  return v.pipe(v.nullish(schema), v.transform(nullToAbsent), v.description(description)) as never;
}

export function nullToAbsent<T>(value: T | null): T | undefined {
  return value === null ? undefined : value;
}

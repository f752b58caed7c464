/** Setting kinds that several schemas share. Imports only valibot, so that schemas stay light. */
import * as v from "valibot";

const durationUnitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses `500ms`, `30s`, `1h30m` or a bare number of seconds into milliseconds; `undefined` when it is neither. */
export function parseDurationMs(text: string | number): number | undefined {
  if (typeof text === "number") return Number.isFinite(text) && text >= 0 ? text * 1_000 : undefined;
  const compact = text.trim();
  if (/^\d+(\.\d+)?$/.test(compact)) return Number(compact) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d)\s*)+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, amount, , unit] of compact.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * durationUnitsMs[unit as keyof typeof durationUnitsMs];
  return total;
}

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
  return v.pipe(
    v.nullish(schema),
    v.transform((value) => (value === null ? undefined : value)),
    v.description(description),
  ) as never;
}

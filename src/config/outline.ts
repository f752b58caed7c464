/**
 * What the active sections accept, as plain data: kinds, bounds and parsed defaults. The executable carries the outline
 * of the schemas instead of building them at start (`deploy/embed-plugin.ts`); see everyday-settings.ts for its use.
 */
import { type GenericSchema, safeParse } from "valibot";
import { isPending } from "./pending.ts";
import { shapeOf } from "./shape.ts";

export interface ObjectOutline {
  readonly is: "object";
  readonly entries: Readonly<Record<string, Outline>>;
  /** What absent settings are once parsed. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

export interface StringOutline {
  readonly is: "string" | "secret";
  readonly minLength?: number;
  readonly prefix?: string;
}

export type Outline =
  | ObjectOutline
  | StringOutline
  | { readonly is: "map"; readonly value: Outline }
  | { readonly is: "list"; readonly item: Outline; readonly minLength?: number }
  | { readonly is: "either"; readonly options: readonly Outline[] }
  | { readonly is: "choice"; readonly values: readonly string[] }
  | {
      readonly is: "number";
      readonly whole: boolean;
      readonly least?: number;
      readonly above?: number;
      readonly most?: number;
    }
  /** `text` is a string, number or boolean that becomes a string. */
  | { readonly is: "boolean" | "duration" | "text" };

/** Settings of few files, whose outline every start would pay for. */
const rareSettings = [
  "auth.users",
  "auth.issuers",
  "auth.client_circuit_breaker",
  "backends.*.secrets",
  "backends.*.identity_propagation",
  "backends.*.replicas",
  "backends.*.load_balancing",
  "security.agent_identity",
];

/** These, and settings whose feature does not exist yet, are left out: a file that has one is not an everyday file. */
export function outlineOf(schema: GenericSchema, path = ""): Outline {
  const { kind, becomesText, minLength, prefix, whole, minimum, above, maximum } = shapeOf(schema);
  if (becomesText) return { is: "text" };
  switch (kind.is) {
    case "object": {
      const entries = Object.entries(kind.entries).map(([key, entry]) => ({
        key,
        path: path === "" ? key : `${path}.${key}`,
        entry,
        fallback: shapeOf(entry).required ? undefined : safeParse(entry, undefined).output,
      }));
      const active = entries.filter(({ path }) => !isPending(path) && !rareSettings.includes(path));
      return {
        is: "object",
        entries: Object.fromEntries(active.map((one) => [one.key, outlineOf(one.entry, one.path)])),
        defaults: Object.fromEntries(
          entries.filter(({ fallback }) => fallback !== undefined).map(({ key, fallback }) => [key, fallback]),
        ),
        required: entries.filter(({ entry }) => shapeOf(entry).required).map(({ key }) => key),
      };
    }
    case "map":
      return { is: "map", value: outlineOf(kind.value, `${path}.*`) };
    case "list":
      return { is: "list", item: outlineOf(kind.item, `${path}[]`), ...defined({ minLength }) };
    case "either":
      return { is: "either", options: kind.options.map((option) => outlineOf(option, path)) };
    case "choice":
      return kind;
    case "number":
      return { is: "number", whole, ...defined({ least: minimum, above, most: maximum }) };
    case "string":
    case "secret":
      return { is: kind.is, ...defined({ minLength, prefix }) };
    case "boolean":
    case "duration":
      return { is: kind.is };
  }
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/**
 * What a valibot schema says, as plain data, one level at a time. Unknown keys, environment overrides, error texts, the
 * JSON Schema and the README tables are all read off this, so that a setting is written down once.
 */
import type { GenericSchema } from "valibot";
import { nullToAbsent } from "../core/kinds.ts";

export type ShapeKind =
  | { readonly is: "object"; readonly entries: Readonly<Record<string, GenericSchema>>; readonly open: boolean }
  | { readonly is: "map"; readonly value: GenericSchema }
  | { readonly is: "list"; readonly item: GenericSchema }
  | { readonly is: "either"; readonly options: readonly GenericSchema[] }
  | { readonly is: "choice"; readonly values: readonly string[] }
  | { readonly is: "string" | "number" | "boolean" | "duration" | "secret" };

export interface Shape {
  kind: ShapeKind;
  description: string | undefined;
  /** In the file's own notation; `undefined` when there is none. */
  fallback: unknown;
  /** Whether the file must have it. */
  required: boolean;
  minimum: number | undefined;
  /** Exclusive. */
  above: number | undefined;
  maximum: number | undefined;
  whole: boolean;
  minLength: number | undefined;
  prefix: string | undefined;
  /** Numbers and booleans are taken for what they look like in the file. */
  becomesText: boolean;
}

/** The members of valibot's schemas and actions that carry meaning; their static types differ per schema. */
interface SchemaNode {
  readonly type: string;
  readonly wrapped?: GenericSchema;
  readonly default?: unknown;
  readonly entries?: Record<string, GenericSchema>;
  readonly value?: GenericSchema;
  readonly item?: GenericSchema;
  readonly options?: readonly GenericSchema[] | readonly string[];
  readonly literal?: string;
  readonly pipe?: readonly SchemaNode[];
  readonly requirement?: unknown;
  readonly operation?: unknown;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const shapes = new WeakMap<GenericSchema, Readonly<Shape>>();

export function shapeOf(schema: GenericSchema): Readonly<Shape> {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const shape: Shape = {
    kind: { is: "string" },
    description: undefined,
    fallback: undefined,
    required: true,
    minimum: undefined,
    above: undefined,
    maximum: undefined,
    whole: false,
    minLength: undefined,
    prefix: undefined,
    becomesText: false,
  };
  readNode(schema as unknown as SchemaNode, shape);
  shapes.set(schema, shape);
  return shape;
}

/** The shape found by following the keys; `undefined` where the schema has nothing to say. */
export function shapeAt(schema: GenericSchema, path: readonly (string | number)[]): Shape | undefined {
  let current: GenericSchema | undefined = schema;
  for (const key of path) {
    current = childOf(current, key);
    if (current === undefined) return undefined;
  }
  return shapeOf(current);
}

export function childOf(schema: GenericSchema, key: string | number): GenericSchema | undefined {
  const { kind } = shapeOf(schema);
  switch (kind.is) {
    case "object":
      return Object.hasOwn(kind.entries, key) ? kind.entries[key] : undefined;
    case "map":
      return kind.value;
    case "list":
      return typeof key === "number" ? kind.item : undefined;
    case "either":
      for (const option of kind.options) {
        const child = childOf(option, key);
        if (child !== undefined) return child;
      }
      return undefined;
    default:
      return undefined;
  }
}

/** Wrappers and pipes are read from the inside out, so that what is said last counts. */
function readNode(node: SchemaNode, shape: Shape): void {
  if (node.pipe !== undefined) {
    for (const part of node.pipe) readNode(part, shape);
    return;
  }
  switch (node.type) {
    case "optional":
    case "nullish":
      readNode(node.wrapped as unknown as SchemaNode, shape);
      shape.required = false;
      shape.fallback = node.default ?? shape.fallback;
      return;
    case "object":
    case "loose_object":
    case "strict_object":
      shape.kind = { is: "object", entries: node.entries ?? {}, open: node.type === "loose_object" };
      return;
    case "record":
      shape.kind = { is: "map", value: node.value as GenericSchema };
      return;
    case "array":
      shape.kind = { is: "list", item: node.item as GenericSchema };
      return;
    case "union":
      shape.kind = { is: "either", options: node.options as readonly GenericSchema[] };
      return;
    case "picklist":
      shape.kind = { is: "choice", values: node.options as readonly string[] };
      return;
    case "literal":
      shape.kind = { is: "choice", values: [node.literal as string] };
      return;
    case "string":
    case "number":
    case "boolean":
      shape.kind = { is: node.type };
      return;
    case "metadata": {
      const kind = node.metadata?.["kind"];
      if (kind === "duration" || kind === "secret") shape.kind = { is: kind };
      return;
    }
    case "description":
      shape.description = node.description;
      return;
    case "integer":
      shape.whole = true;
      return;
    case "min_value":
      shape.minimum = node.requirement as number;
      return;
    case "gt_value":
      shape.above = node.requirement as number;
      return;
    case "max_value":
      shape.maximum = node.requirement as number;
      return;
    case "min_length":
      shape.minLength = node.requirement as number;
      return;
    case "starts_with":
      shape.prefix = node.requirement as string;
      return;
    case "raw_transform":
      // Of the durations, which say so themselves.
      return;
    case "transform":
      if (node.operation === String) shape.becomesText = true;
      else if (node.operation !== nullToAbsent)
        throw new Error("A setting is transformed in a way that is not known here");
      return;
    default:
      throw new Error(`valibot's "${node.type}" is not known here`);
  }
}

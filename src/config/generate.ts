/** The configuration schema for editors (JSON Schema) and for readers (Markdown tables). */
import type { GenericSchema } from "valibot";
import { object } from "valibot";
import { pendingSections } from "./pending/schema.ts";
import { isPending, pendingSettings } from "./pending.ts";
import { rareSections } from "./rare/schema.ts";
import { configSchema } from "./schema.ts";
import { type Shape, shapeOf } from "./shape.ts";

type JsonSchema = { readonly [key: string]: unknown };

/** JSON Schema 2020-12 of the file as it is written: durations as text, every default filled in. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "MCP Gateway configuration",
    ...jsonSchemaOf(object({ ...configSchema.entries, ...rareSections, ...pendingSections })),
  };
}

function jsonSchemaOf(schema: GenericSchema): JsonSchema {
  const shape = shapeOf(schema);
  return {
    ...(shape.description === undefined ? {} : { description: shape.description }),
    ...typeOf(shape),
    ...(shape.fallback === undefined ? {} : { default: shape.fallback }),
  };
}

function typeOf(shape: Shape): JsonSchema {
  const { kind } = shape;
  switch (kind.is) {
    case "object": {
      const entries = Object.entries(kind.entries);
      const required = entries.filter(([, entry]) => shapeOf(entry).required).map(([key]) => key);
      return {
        type: ["object", "null"],
        properties: Object.fromEntries(entries.map(([key, entry]) => [key, jsonSchemaOf(entry)])),
        ...(required.length === 0 ? {} : { required }),
        ...(kind.open ? {} : { additionalProperties: false }),
      };
    }
    case "map":
      return { type: ["object", "null"], additionalProperties: jsonSchemaOf(kind.value) };
    case "list":
      return { type: "array", items: jsonSchemaOf(kind.item), ...defined({ minItems: shape.minLength }) };
    case "either":
      return { anyOf: kind.options.map(jsonSchemaOf) };
    case "choice":
      return { enum: kind.values };
    case "duration":
      return {
        anyOf: [
          { type: "number", minimum: 0 },
          { type: "string", pattern: "^\\s*(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|s|m|h|d)\\s*)+)$" },
        ],
      };
    case "number": {
      const { whole, minimum, above, maximum } = shape;
      return { type: whole ? "integer" : "number", ...defined({ minimum, exclusiveMinimum: above, maximum }) };
    }
    case "boolean":
      return { type: "boolean" };
    default:
      return {
        type: "string",
        ...defined({ minLength: shape.minLength, pattern: shape.prefix && `^${shape.prefix}` }),
      };
  }
}

function defined(members: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Markdown: a table of the plain settings, one heading and table per active section, then the names of what comes later. */
export function settingsTables(): string {
  const active = Object.entries({ ...configSchema.entries, ...rareSections }) as [string, GenericSchema][];
  const isSection = ([, schema]: [string, GenericSchema]) => isMapLike(shapeOf(schema));
  const parts = pendingSettings.filter((name) => (name.split(".")[0] as string) in configSchema.entries);
  const later = [...parts.map((name) => name.replace("*", "<name>")), ...Object.keys(pendingSections)];
  return [
    table(active.filter((entry) => !isSection(entry)).map(([name, schema]) => row(name, shapeOf(schema)))),
    ...active.filter(isSection).map(([name, schema]) => {
      const shape = shapeOf(schema);
      return `### \`${name}\`\n\n${shape.description}.\n\n${table(rowsBelow(name, shape))}`;
    }),
    `Accepted and checked, but not active yet: ${later.map(code).join(", ")}.`,
  ].join("\n\n");
}

/** Nested sections are flattened: `retry.max_attempts`, `api_keys[].key`; the name of a map's entry is `<name>`. */
function rowsBelow(section: string, { kind }: Shape, prefix = ""): string[] {
  if (kind.is === "map") return rowsBelow(section, shapeOf(kind.value), "<name>.");
  if (kind.is !== "object") return [];
  return Object.entries(kind.entries).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    if (isPending(`${section}.${name.replaceAll("<name>", "*")}`)) return [];
    const shape = shapeOf(schema);
    const item = shape.kind.is === "list" ? shapeOf(shape.kind.item) : undefined;
    if (item !== undefined && item.kind.is === "object")
      return [row(name, shape), ...rowsBelow(section, item, `${name}[].`)];
    // A section without a default or a need of its own repeats another one, which has the table.
    const flatten =
      shape.kind.is === "object" &&
      (shape.fallback !== undefined || Object.values(shape.kind.entries).some((entry) => saysMore(shapeOf(entry))));
    return flatten ? rowsBelow(section, shape, `${name}.`) : [row(name, shape)];
  });
}

function saysMore({ required, fallback }: Shape): boolean {
  return required || fallback !== undefined;
}

function row(name: string, shape: Shape): string {
  const fallback = shape.required
    ? "required"
    : shape.fallback === undefined
      ? ""
      : code(JSON.stringify(shape.fallback));
  return `| ${code(name)} | ${typeName(shape)} | ${fallback} | ${(shape.description ?? "").replaceAll("|", "\\|")} |`;
}

function typeName({ kind }: Shape): string {
  switch (kind.is) {
    case "list":
      return shapeOf(kind.item).kind.is === "string" ? "list of strings" : "list";
    case "map":
    case "object":
      return "map";
    case "choice":
      return kind.values.map(code).join(", ");
    case "either":
      return [...new Set(kind.options.map((option) => typeName(shapeOf(option))))].join(" or ");
    default:
      return kind.is;
  }
}

function isMapLike({ kind }: Shape): boolean {
  return kind.is === "object" || kind.is === "map";
}

function table(rows: readonly string[]): string {
  return ["| Key | Type | Default | Description |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

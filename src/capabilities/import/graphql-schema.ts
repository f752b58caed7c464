/** The answer to an introspection query, as much of it as importing takes; names that could be more than names are not read. */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

/** `[String!]!` */
export interface TypeUse {
  /** As GraphQL writes it. */
  readonly text: string;
  /** Of the named type at its heart. */
  readonly name: string;
  /** What a list is of. */
  readonly item: TypeUse | undefined;
  /** It may not be null. */
  readonly isRequired: boolean;
}

export interface InputValue {
  readonly name: string;
  readonly description: string;
  readonly type: TypeUse;
  readonly hasDefault: boolean;
}

export interface Field {
  readonly name: string;
  readonly description: string;
  readonly args: readonly InputValue[];
  readonly type: TypeUse;
}

export interface NamedType {
  readonly kind: string;
  readonly name: string;
  readonly description: string;
  /** Without those that are deprecated, here and below. */
  readonly fields: readonly Field[];
  readonly inputFields: readonly InputValue[];
  readonly enumValues: readonly string[];
  readonly possibleTypes: readonly string[];
}

export interface GraphqlSchema {
  readonly query: NamedType | undefined;
  readonly mutation: NamedType | undefined;
  /** Fields that cannot be read, as `Type.field`. */
  readonly unreadable: ReadonlySet<string>;
  type(name: string): NamedType | undefined;
}

/** Lists and "!" around a type. */
const maxWrappers = 8;
const inputValue = "name description defaultValue type { ...Use }";
let use = "kind name";
for (let level = 0; level < maxWrappers; level++) use = `kind name ofType { ${use} }`;

/** Asks what every server since 2016 knows. Arguments are not asked for with `includeDeprecated`, so deprecated ones stay away. */
export const introspectionQuery = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } types {
kind name description
fields(includeDeprecated: false) { name description args { ${inputValue} } type { ...Use } }
inputFields { ${inputValue} } enumValues(includeDeprecated: false) { name } possibleTypes { name }
} } } fragment Use on __Type { ${use} }`;

/** The part of an answer, or of a file, that describes a schema. */
export function introspectedSchema(document: JsonObject): JsonObject | undefined {
  const { data } = document;
  const found = (isJsonObject(data) ? data : document)["__schema"];
  return isJsonObject(found) && Array.isArray(found["types"]) ? found : undefined;
}

/** Reads the types when they are asked for. @throws ConfigError when there is neither a query nor a mutation */
export function readSchema(schema: JsonObject): GraphqlSchema {
  const raw = new Map<string, JsonObject>();
  for (const type of objects(schema["types"])) if (isName(type["name"])) raw.set(type["name"], type);
  const known = new Map<string, NamedType>();
  const unreadable = new Set<string>();
  function type(name: string): NamedType | undefined {
    const found = raw.get(name);
    if (found === undefined) return undefined;
    const read = known.get(name) ?? readType(name, found, unreadable);
    known.set(name, read);
    return read;
  }
  const rootOf = (key: string) => {
    const root = schema[key];
    return isJsonObject(root) && isName(root["name"]) ? type(root["name"]) : undefined;
  };
  const [query, mutation] = [rootOf("queryType"), rootOf("mutationType")];
  if (query === undefined && mutation === undefined)
    throw new ConfigError("This introspection names neither a query type nor a mutation type");
  return { query, mutation, unreadable, type };
}

function readType(name: string, type: JsonObject, unreadable: Set<string>): NamedType {
  return {
    kind: String(type["kind"]),
    name,
    description: text(type["description"]),
    fields: current(type["fields"]).flatMap((field) => {
      const read = readField(field);
      if (read === undefined) unreadable.add(`${name}.${text(field["name"]).slice(0, 100)}`);
      return read ?? [];
    }),
    inputFields: readInputs(type["inputFields"]) ?? [],
    enumValues: current(type["enumValues"]).flatMap((value) => (isName(value["name"]) ? [value["name"]] : [])),
    possibleTypes: objects(type["possibleTypes"]).flatMap((each) => (isName(each["name"]) ? [each["name"]] : [])),
  };
}

function readField(field: JsonObject): Field | undefined {
  const { name, description } = field;
  const [type, args] = [readUse(field["type"], 0), readInputs(field["args"])];
  if (!isName(name) || type === undefined || args === undefined) return undefined;
  return { name, description: text(description), args, type };
}

/** `undefined` when one of them cannot be read. */
function readInputs(values: Json | undefined): InputValue[] | undefined {
  const read = current(values).map((value): InputValue | undefined => {
    const { name, description, defaultValue } = value;
    const type = readUse(value["type"], 0);
    if (!isName(name) || type === undefined) return undefined;
    return { name, description: text(description), type, hasDefault: typeof defaultValue === "string" };
  });
  const found = read.filter((each) => each !== undefined);
  return found.length === read.length ? found : undefined;
}

function readUse(value: Json | undefined, depth: number): TypeUse | undefined {
  if (!isJsonObject(value) || depth > maxWrappers) return undefined;
  const { kind, name, ofType } = value;
  if (kind !== "NON_NULL" && kind !== "LIST")
    return isName(name) ? { text: name, name, item: undefined, isRequired: false } : undefined;
  const inner = readUse(ofType, depth + 1);
  if (inner === undefined) return undefined;
  return kind === "LIST"
    ? { text: `[${inner.text}]`, name: inner.name, item: inner, isRequired: false }
    : { ...inner, text: `${inner.text}!`, isRequired: true };
}

/** Two underscores at the beginning are GraphQL's own. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= 200 && /^(?!__)[A-Za-z_]\w*$/.test(value);
}

function current(values: Json | undefined): JsonObject[] {
  return objects(values).filter(({ isDeprecated }) => isDeprecated !== true);
}

function objects(values: Json | undefined): JsonObject[] {
  return Array.isArray(values) ? (values as Json[]).filter(isJsonObject) : [];
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

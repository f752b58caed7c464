/** Types of GraphQL arguments → JSON Schema. */
import type { Json, JsonObject } from "../../lib/json.ts";
import type { GraphqlSchema, InputValue, NamedType, TypeUse } from "./graphql-schema.ts";
import { describe } from "./imported.ts";

/** Input objects inside each other that are written out; models fill flat ones better. */
const maxDepth = 3;
/** Members of all input objects of one argument list. */
const maxMembers = 200;
/** More choices than this are named by their type alone. */
const maxChoices = 200;

const builtinScalars: Readonly<Record<string, JsonObject>> = {
  Int: { type: "integer" },
  Float: { type: "number" },
  Boolean: { type: "boolean" },
  String: { type: "string" },
  ID: { type: "string" },
};

/** The arguments of one field, each under its own name: the gateway sends them as variables. */
export function argumentSchema(args: readonly InputValue[], schema: GraphqlSchema): JsonObject {
  return new Writer(schema).members(args, []);
}

/** Can be left out: GraphQL takes its default, or null. */
export function isOptional({ type, hasDefault }: InputValue): boolean {
  return !type.isRequired || hasDefault;
}

class Writer {
  readonly #schema: GraphqlSchema;
  #members = 0;

  constructor(schema: GraphqlSchema) {
    this.#schema = schema;
  }

  members(values: readonly InputValue[], open: readonly string[]): JsonObject {
    const required = values.filter((value) => !isOptional(value)).map(({ name }) => name);
    return {
      type: "object",
      properties: Object.fromEntries(values.map((value) => [value.name, this.#member(value, open)])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    };
  }

  #member({ description, type }: InputValue, open: readonly string[]): JsonObject {
    const schema = this.#use(type, open);
    const own = schema["description"];
    return { ...schema, description: describe(description, own, `${type.text} of the API`) };
  }

  #use({ item, name }: TypeUse, open: readonly string[]): JsonObject {
    if (item !== undefined) return { type: "array", items: this.#use(item, open) };
    const type = this.#schema.type(name);
    const described = (schema: JsonObject): JsonObject => {
      const description = describe(type?.description);
      return description === "" ? schema : { ...schema, description };
    };
    switch (type?.kind) {
      case "ENUM":
        return described({
          type: "string",
          ...(type.enumValues.length <= maxChoices && { enum: type.enumValues as readonly Json[] }),
        });
      case "INPUT_OBJECT":
        return described(this.#inputObject(type, open));
      default:
        return builtinScalars[name] ?? described(customScalar(name));
    }
  }

  #inputObject(type: NamedType, open: readonly string[]): JsonObject {
    this.#members += type.inputFields.length;
    const isCut = open.includes(type.name) || open.length >= maxDepth || this.#members > maxMembers;
    if (isCut) return { type: "object", description: `Input type ${type.name} of the API` };
    return this.members(type.inputFields, [...open, type.name]);
  }
}

/** A scalar of the API's own may be anything; its name is the only hint to what. */
function customScalar(name: string): JsonObject {
  if (/json|any|object|map|dynamic/i.test(name))
    return { type: ["object", "array", "string", "number", "boolean"], description: `${name} of the API` };
  if (/int|long|number|decimal|float|double/i.test(name))
    return { type: ["number", "string"], description: `${name} of the API` };
  return { type: "string", description: `${name} of the API` };
}

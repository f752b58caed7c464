/** The arguments of one operation: its parameters and the members of its body, each under a name that is its own. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { argumentName, typed } from "./argument-name.ts";
import type { RefResolver } from "./resolve-refs.ts";

export interface Argument {
  /** Of the argument: letters, digits and _. */
  readonly name: string;
  readonly apiName: string;
  readonly in: "path" | "query" | "header" | "body";
  readonly schema: JsonObject;
  readonly isRequired: boolean;
}

/** Set by the gateway itself, or by its `auth`. */
const ownHeaders = ["accept", "content-type", "authorization"];

export class Arguments {
  readonly #refs: RefResolver;
  readonly #all: Argument[] = [];
  #bodyType: string | undefined;
  #isWholeBody = false;

  constructor(refs: RefResolver) {
    this.#refs = refs;
  }

  of(place: Argument["in"]): Argument[] {
    return this.#all.filter((argument) => argument.in === place);
  }

  /** A later one of the same place and name replaces the earlier: operations over their path. */
  parameter(value: Json): void {
    const parameter = this.#refs.follow(value);
    if (parameter === undefined) return;
    const { name: apiName, in: place, required, description } = parameter;
    if (typeof apiName !== "string" || (place !== "path" && place !== "query" && place !== "header")) {
      this.#swaggerBody(parameter);
      return;
    }
    if (place === "header" && ownHeaders.includes(apiName.toLowerCase())) return;
    const known = this.#all.findIndex((argument) => argument.in === place && argument.apiName === apiName);
    if (known >= 0) this.#all.splice(known, 1);
    this.#add(apiName, place, described(this.#schemaOf(parameter), description), required === true || place === "path");
  }

  /** `requestBody` of OpenAPI 3. @param consumes `consumes` of a Swagger document */
  body(operation: JsonObject, consumes: Json | undefined): void {
    const own = operation["consumes"] ?? consumes;
    if (this.#bodyType === "form") this.#bodyType = formType(own);
    const body = this.#refs.follow(operation["requestBody"]);
    const content = isJsonObject(body?.["content"]) ? body["content"] : undefined;
    if (content === undefined) return;
    const types = Object.keys(content);
    const type =
      types.find((each) => /[/+]json\b/.test(each)) ?? types.find((each) => each.includes("x-www-form-urlencoded"));
    if (type === undefined) throw new Error(`its body is ${types.join(" or ") || "of no type"}, which cannot be sent`);
    const media = this.#refs.follow(content[type]);
    this.#bodyType = type;
    this.#members(this.#refs.schema(media?.["schema"]), body?.["required"] === true);
  }

  renamedPath(path: string): string {
    const names = new Map(this.of("path").map(({ apiName, name }) => [apiName, name]));
    return path.replace(
      /\{([^}]+)\}/g,
      (_, apiName: string) => `{${names.get(apiName) ?? this.#add(apiName, "path", { type: "string" }, true)}}`,
    );
  }

  bodyConfig(): JsonObject {
    const members = this.of("body");
    if (members.length === 0) return {};
    const body = this.#isWholeBody
      ? `{${members[0]?.name}}`
      : Object.fromEntries(members.map(({ apiName, name }) => [apiName, `{${name}}`]));
    const isJson = this.#bodyType === undefined || this.#bodyType.includes("json");
    return { body, ...(!isJson && { body_content_type: this.#bodyType }) };
  }

  schema(): JsonObject {
    const required = this.#all.filter(({ isRequired }) => isRequired).map(({ name }) => name);
    return {
      type: "object",
      properties: Object.fromEntries(this.#all.map(({ name, schema }) => [name, schema])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    };
  }

  /** `in: body` and `in: formData` of Swagger 2; cookies are left out. */
  #swaggerBody({ name, in: place, schema, required, description, ...rest }: JsonObject): void {
    if (place === "body") this.#members(this.#refs.schema(schema), required === true);
    if (place !== "formData" || typeof name !== "string") return;
    if (rest["type"] === "file") throw new Error("its body is multipart/form-data, which cannot be sent");
    this.#bodyType = "form";
    this.#add(name, "body", described(plainSchema(rest), description), required === true);
  }

  #members(schema: JsonObject, isRequired: boolean): void {
    const flat = merged(schema);
    const properties = isJsonObject(flat["properties"]) ? flat["properties"] : {};
    const required = Array.isArray(flat["required"]) ? flat["required"] : [];
    if (Object.keys(properties).length === 0) {
      this.#isWholeBody = true;
      this.#add("body", "body", { description: "Body of the request", ...schema }, isRequired);
      return;
    }
    for (const [name, property] of Object.entries(properties)) {
      if (!isJsonObject(property) || property["readOnly"] === true) continue;
      this.#add(name, "body", property, isRequired && required.includes(name));
    }
  }

  #schemaOf(parameter: JsonObject): JsonObject {
    const { schema, content } = parameter;
    if (schema !== undefined) return this.#refs.schema(schema);
    const media = isJsonObject(content) ? this.#refs.follow(Object.values(content)[0]) : undefined;
    return media === undefined ? plainSchema(parameter) : this.#refs.schema(media["schema"]);
  }

  /** Returns the name it got. */
  #add(apiName: string, place: Argument["in"], schema: JsonObject, isRequired: boolean): string {
    const name = argumentName(apiName, place, (each) => this.#all.some((argument) => argument.name === each));
    this.#all.push({ name, apiName, in: place, schema: typed(schema), isRequired });
    return name;
  }
}

/** The members of every part of `allOf`, as one schema. */
function merged(schema: JsonObject): JsonObject {
  const { allOf } = schema;
  if (!Array.isArray(allOf)) return schema;
  const parts = (allOf as Json[]).filter(isJsonObject).map(merged);
  const all = [schema, ...parts];
  return {
    properties: Object.fromEntries(
      all.flatMap(({ properties }) => (isJsonObject(properties) ? Object.entries(properties) : [])),
    ),
    required: all.flatMap(({ required }) => (Array.isArray(required) ? (required as Json[]) : [])),
  };
}

/** Swagger 2 writes the schema of a parameter beside its name. */
function plainSchema(parameter: JsonObject): JsonObject {
  const kept = ["type", "format", "items", "enum", "default", "minimum", "maximum", "pattern"];
  const schema = Object.fromEntries(Object.entries(parameter).filter(([key]) => kept.includes(key)));
  return Object.keys(schema).length === 0 ? { type: "string" } : schema;
}

function described(schema: JsonObject, description: Json | undefined): JsonObject {
  return typeof description === "string" && description !== ""
    ? { ...schema, description: description.trim() }
    : schema;
}

function formType(consumes: Json | undefined): string {
  const types = Array.isArray(consumes) ? consumes.map(String) : [];
  if (types.includes("multipart/form-data") && !types.includes("application/x-www-form-urlencoded"))
    throw new Error("its body is multipart/form-data, which cannot be sent");
  return "application/x-www-form-urlencoded";
}

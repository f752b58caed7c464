/** A GraphQL schema, as introspection answers it → capability files, one per query and mutation. */
import { ConfigError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { CapabilityNames } from "./capability-names.ts";
import { argumentSchema, isOptional } from "./graphql-arguments.ts";
import { type Field, type GraphqlSchema, introspectedSchema, readSchema } from "./graphql-schema.ts";
import { selectionOf } from "./graphql-selection.ts";
import { describe, type Imported, type ImportOptions, type ImportResult, variableName } from "./imported.ts";

/** @throws ConfigError when it is no introspection */
export function importGraphql(document: JsonObject, options: ImportOptions): ImportResult {
  const introspected = introspectedSchema(document);
  if (introspected === undefined)
    throw new ConfigError('This is no GraphQL introspection: it has no "__schema" with "types"');
  const schema = readSchema(introspected);
  const names = new CapabilityNames(options.prefix);
  const variable = variableName(options.sourceName, "URL");
  const endpoint = options.endpoint?.href ?? `{env.${variable}}`;
  const auth: JsonObject =
    options.authKey === undefined
      ? { required: false, type: "none" }
      : { required: true, type: "bearer", key: options.authKey };
  const fields = [
    ...(schema.query?.fields ?? []).map((field) => ({ operation: "query", field })),
    ...(schema.mutation?.fields ?? []).map((field) => ({ operation: "mutation", field })),
  ];
  const capabilities = fields.slice(0, options.maxCount).map(({ operation, field }): Imported => {
    const name = names.take(field.name, `${operation}_${field.name}`);
    const definition = {
      fulcrum: "1.0",
      name,
      description: describe(
        field.description,
        `${operation} "${field.name}" of the API, which gives ${field.type.text}`,
      ),
      schema: { input: argumentSchema(field.args, schema) },
      providers: {
        primary: { service: "graphql", config: { endpoint, query: documentOf(operation, field, schema) } },
      },
      auth,
      metadata: { category: "api", tags: ["graphql", "generated"], read_only: operation === "query" },
    };
    return { name, definition, variables: options.endpoint === undefined ? [variable] : [] };
  });
  const warnings = Array.from(
    schema.unreadable,
    (name) => `${name} is left out: its name, type or arguments are not valid`,
  );
  const left = fields.length - capabilities.length;
  if (left > 0) warnings.push(`${left} more queries and mutations are left out: ${options.maxCount} are the most`);
  return { capabilities, warnings };
}

/** One operation with a variable for each argument. An argument with a default takes a variable that may be missing. */
function documentOf(operation: string, { name, args, type }: Field, schema: GraphqlSchema): string {
  const declared = args.map((arg) => {
    const text = isOptional(arg) ? arg.type.text.replace(/!$/, "") : arg.type.text;
    return `$${arg.name}: ${text}`;
  });
  const variables = declared.length === 0 ? "" : `(${declared.join(", ")})`;
  const given = args.length === 0 ? "" : `(${args.map((arg) => `${arg.name}: $${arg.name}`).join(", ")})`;
  return `${operation} ${name}${variables} {\n  ${name}${given}${selectionOf(type.name, schema)}\n}\n`;
}

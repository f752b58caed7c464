import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchema, type GraphQLSchema, graphqlSync, introspectionFromSchema, parse, validate } from "graphql";
import { capabilityTexts } from "../../src/capabilities/import/capability-texts.ts";
import { importGraphql } from "../../src/capabilities/import/graphql.ts";
import { introspectionQuery } from "../../src/capabilities/import/graphql-schema.ts";
import { type ImportResult, maxCapabilities } from "../../src/capabilities/import/imported.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { call, Folder, KeptLog, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const options = {
  prefix: undefined,
  authKey: undefined,
  documentUrl: undefined,
  sourceName: "my shop",
  maxCount: maxCapabilities,
};

const shop = buildSchema(`
  "When it was"
  scalar DateTime
  scalar JSON
  enum Color { RED GREEN OLD @deprecated }
  interface Node { id: ID! }
  interface Priced { price(currency: String = "EUR"): Float! note: String }
  type Tag { name: String! }
  type Product implements Node & Priced {
    id: ID!
    name: String!
    color: Color
    price(currency: String = "EUR"): Float!
    note: String
    translated(language: String!): String
    old: String @deprecated
    similar: [Product!]!
    tags: [Tag]
    maker: Maker
    reviews(first: Int): ReviewConnection!
  }
  type Maker implements Node { id: ID! name: String city: City products: [Product] }
  type City { name: String mayor: Person tags: [Tag] }
  type Person { name: String knows: [Person] age: Int! }
  type Review { id: ID! text: String product: Product author: Person }
  type ReviewEdge { node: Review cursor: String! }
  type PageInfo { hasNextPage: Boolean! endCursor: String startCursor: String }
  type ReviewConnection { edges: [ReviewEdge] pageInfo: PageInfo! totalCount: Int! }
  type ProductEdge { node: Product! cursor: String! }
  type ProductConnection { edges: [ProductEdge!]! nodes: [Product] pageInfo: PageInfo! }
  type Error { name: Int! message: String }
  union Hit = Product | Maker | Error
  type Nothing { hidden(by: ID!): Int }
  input Range { from: Float = 0 to: Float! }
  input Filter { text: String! color: [Color!] range: Range and: [Filter!] at: DateTime extra: JSON }
  input NewProduct { name: String! filter: Filter }
  type Payload { product: Product errors: [Error!] }
  type Query {
    "One product"
    product(id: ID!): Product
    products(first: Int! = 10, after: String, filter: Filter): ProductConnection
    reviews: ReviewConnection
    search(text: String!, colors: [[Color!]!]): [Hit!]
    node(id: ID!): Node
    priced: [Priced]
    nothing: Nothing
    count: Int!
    gone: Int @deprecated(reason: "no")
  }
  type Mutation {
    create(input: NewProduct!, dryRun: Boolean = false): Payload!
    count(by: Int): Int
  }
`);

function introspected(schema: GraphQLSchema): JsonObject {
  return graphqlSync({ schema, source: introspectionQuery }) as unknown as JsonObject;
}

const queryOf = (definition: JsonObject) =>
  (definition["providers"] as { primary: { config: { query: string } } }).primary.config.query;

function one({ capabilities }: ImportResult, name: string): JsonObject {
  const found = capabilities.find((each) => each.name === name);
  assert.ok(found, `${name} is not among ${capabilities.map((each) => each.name)}`);
  return found.definition;
}

const propertiesOf = (definition: JsonObject) =>
  (definition["schema"] as { input: { properties: Record<string, JsonObject> } }).input.properties;

test("GraphQL: every document is one the schema's own library takes, whoever made the introspection", async () => {
  for (const document of [introspected(shop), introspectionFromSchema(shop) as unknown as JsonObject]) {
    const result = importGraphql(document, options);
    assert.deepEqual(
      result.capabilities.map(({ name }) => name),
      "product products reviews search node priced nothing count create mutation_count".split(" "),
    );
    for (const { name, definition } of result.capabilities)
      assert.deepEqual(validate(shop, parse(queryOf(definition))), [], name);
    const { files, warnings } = await capabilityTexts(result.capabilities);
    assert.deepEqual([files.length, warnings], [10, []]);
  }
});

test("GraphQL: a document asks for what a reader wants first, and for nothing without end", () => {
  const result = importGraphql(introspected(shop), options);
  assert.equal(
    queryOf(one(result, "product")),
    `query product($id: ID!) {
  product(id: $id) {
    id
    name
    color
    price
    note
    tags {
      name
    }
    maker {
      id
      name
      city {
        name
      }
    }
  }
}
`,
  );
  assert.match(queryOf(one(result, "products")), /^query products\(\$first: Int, \$after: String, \$filter: Filter\)/);
  assert.match(
    queryOf(one(result, "products")),
    /\{\n {4}nodes \{\n {6}id\n[\s\S]+pageInfo \{\n {6}hasNextPage\n {6}endCursor\n/,
  );
  assert.match(queryOf(one(result, "reviews")), /totalCount\n {4}edges \{\n {6}node \{\n {8}id\n {8}text\n/);
  assert.match(queryOf(one(result, "search")), /__typename\n {4}\.\.\. on Product \{[\s\S]+nameOfError: name\n/);
  assert.match(queryOf(one(result, "priced")), /\{\n {4}__typename\n {4}price\n {4}note\n {2}\}/);
  assert.match(queryOf(one(result, "nothing")), /nothing \{\n {4}__typename\n/);
  assert.equal(queryOf(one(result, "count")), "query count {\n  count\n}\n");
});

test("GraphQL: arguments as JSON Schema, queries as reads, deprecated ones not at all", () => {
  const result = importGraphql(introspected(shop), options);
  const create = one(result, "create");
  const { input, dryRun } = propertiesOf(create);
  assert.deepEqual((create["schema"] as { input: JsonObject }).input["required"], ["input"]);
  assert.deepEqual(dryRun, { type: "boolean", description: "Boolean of the API" });
  const { properties: filter } = (input as { properties: { filter: { properties: Record<string, JsonObject> } } })
    .properties.filter;
  assert.deepEqual(filter["color"], {
    type: "array",
    items: { type: "string", enum: ["RED", "GREEN"] },
    description: "[Color!] of the API",
  });
  assert.deepEqual(filter["at"], { type: "string", description: "When it was" });
  assert.deepEqual(
    (filter["and"] as { items: JsonObject }).items["properties"],
    undefined,
    "an input inside itself is cut",
  );
  assert.deepEqual((filter["range"] as JsonObject)["required"], ["to"]);
  assert.equal((create["metadata"] as JsonObject)["read_only"], false);
  assert.equal((one(result, "product")["metadata"] as JsonObject)["read_only"], true);
  assert.equal(one(result, "product")["description"], "One product");
});

test("GraphQL: what was imported is sent, and answered by a real server", async () => {
  const rootValue = {
    product: ({ id }: { id: string }) => ({ id, name: "Rex", color: "RED", price: 2.5, tags: [{ name: "dog" }] }),
    create: ({ input, dryRun }: { input: { name: string; filter: JsonObject }; dryRun: boolean }) => ({
      product: { id: String(dryRun), name: `${input.name} ${JSON.stringify(input.filter)}`, price: 1 },
    }),
  };
  await using api = await RawApi.start(({ body }) => {
    const { query, variables } = JSON.parse(body);
    return { body: JSON.stringify(graphqlSync({ schema: shop, source: query, variableValues: variables, rootValue })) };
  });
  const endpoint = new URL("/graphql", api.origin);
  const result = importGraphql(introspected(shop), { ...options, endpoint, authKey: "env:KEY", prefix: "shop" });
  const { files } = await capabilityTexts(result.capabilities);
  await using folder = await Folder.with(Object.fromEntries(files.map(({ name, text }) => [`${name}.yaml`, text])));
  await using upstream = upstreamOver([folder.path], { env: { KEY: "k3y-canary" }, log: new KeptLog() });
  const product = await call(upstream, "shop_product", { id: "7" });
  assert.deepEqual(JSON.parse(product.text).data.product, {
    id: "7",
    name: "Rex",
    color: "RED",
    price: 2.5,
    note: null,
    tags: [{ name: "dog" }],
    maker: null,
  });
  assert.deepEqual(
    [api.last.line, api.last.headers.get("authorization")],
    ["POST /graphql HTTP/1.1", "Bearer k3y-canary"],
  );
  assert.equal(JSON.parse(api.last.body).variables.id, "7");
  const filter = { text: "t", color: ["GREEN"], range: { to: 3 } };
  const created = await call(upstream, "shop_create", { input: { name: "N", filter } });
  assert.match(created.text, /"id": "false",\s+"name": "N \{/);
  assert.match(created.text, /\\"from\\":0/, "GraphQL fills in its own defaults");
  const wrong = await call(upstream, "shop_product", {});
  assert.equal(wrong.isError, true);
});

test("GraphQL: names that are more than names, and schemas without end, are not let in", () => {
  const use = { kind: "SCALAR", name: "String", ofType: null };
  const field = (name: string, more: object = {}) => ({ name, args: [], type: use, ...more });
  let deep: object = use;
  for (let level = 0; level < 40; level++) deep = { kind: "LIST", name: null, ofType: deep };
  const type = (name: string, fields: object[]) => ({ kind: "OBJECT", name, fields });
  const document = (fields: object[], types: object[] = []) =>
    ({ __schema: { queryType: { name: "Query" }, types: [type("Query", fields), ...types] } }) as unknown as JsonObject;
  const hostile = document([
    field("a } evil { b"),
    field("__proto__"),
    field("deep", { type: deep }),
    field("arg", { args: [{ name: "x: 1) { y } #", type: use }] }),
    field("fine"),
  ]);
  const result = importGraphql(hostile, options);
  assert.deepEqual(
    result.capabilities.map(({ name }) => name),
    ["fine"],
  );
  assert.equal(result.warnings.length, 4);
  assert.match(result.warnings[0] as string, /^Query\.a \} evil \{ b is left out/);

  // Each type has a field of every other: 30 to the power of depth.
  const names = Array.from({ length: 30 }, (_, at) => `T${at}`);
  const fields = names.map((name) => field(name, { type: { kind: "OBJECT", name, ofType: null } }));
  const wide = document(
    fields,
    names.map((name) => type(name, [field("id"), ...fields])),
  );
  const made = importGraphql(wide, { ...options, maxCount: 20 });
  assert.ok(JSON.stringify(made).length < 200_000);
  assert.deepEqual(
    [made.capabilities.length, made.warnings],
    [20, ["10 more queries and mutations are left out: 20 are the most"]],
  );
  assert.throws(() => importGraphql({ data: {} }, options), /This is no GraphQL introspection/);
  assert.throws(() => importGraphql({ __schema: { types: [] } }, options), /neither a query type nor a mutation type/);
});

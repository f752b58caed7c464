/**
 * What a generated document asks for. GraphQL answers only what is named, so the importer names what a reader wants to
 * see first: plain fields, those of the objects beside them, the entries of a connection, and never a type inside itself.
 */
import type { Field, GraphqlSchema, NamedType } from "./graphql-schema.ts";

interface Selected {
  /** `name`, `alias: name` or `... on Type`. */
  readonly text: string;
  readonly inner: readonly Selected[];
}

/** Plain fields of one type, by how deep it lies. */
const maxLeaves = [40, 20, 8] as const;
const maxLeavesInAll = 80;
const maxMembersOfUnion = 8;
/** What a type of many fields is known by. */
const first = /^(id|key|number|slug|login|email|name|title|url|state|status|description|createdAt|updatedAt)$/;
const typename: Selected = { text: "__typename", inner: [] };

/** ` { … }` indented by two, or nothing where the type has no fields. */
export function selectionOf(typeName: string, schema: GraphqlSchema): string {
  const type = schema.type(typeName);
  if (type === undefined || isLeaf(type)) return "";
  const selected = new Selector(schema).of(type, 0, []);
  return print(selected.length === 0 ? [typename] : selected, "  ");
}

class Selector {
  readonly #schema: GraphqlSchema;
  #left = maxLeavesInAll;

  constructor(schema: GraphqlSchema) {
    this.#schema = schema;
  }

  /** @param open types around this one */
  of(type: NamedType, depth: number, open: readonly string[]): Selected[] {
    if (type.kind === "UNION") return this.#union(type);
    const around = [...open, type.name];
    const entries = this.#entries(type);
    if (entries !== undefined) return this.#connection(type, entries, depth, around);
    const fields = type.fields.filter(({ args }) =>
      args.every(({ type: { isRequired }, hasDefault }) => !isRequired || hasDefault),
    );
    const leaves = this.#leaves(fields, maxLeaves[depth] ?? 0);
    const nested =
      depth + 1 >= maxLeaves.length ? [] : fields.flatMap((field) => this.#nested(field, depth + 1, around));
    const kind = type.kind === "INTERFACE" ? [typename] : [];
    return [...kind, ...leaves, ...nested];
  }

  #leaves(fields: readonly Field[], most: number): Selected[] {
    const found = fields
      .filter((field) => isLeaf(this.#typeOf(field)))
      .sort((a, b) => Number(first.test(b.name)) - Number(first.test(a.name)))
      .slice(0, Math.min(most, this.#left));
    this.#left -= found.length;
    return found.map(({ name }) => ({ text: name, inner: [] }));
  }

  /** Lists further down, and connections anywhere but at the top, would make answers without end; some APIs refuse them. */
  #nested(field: Field, depth: number, open: readonly string[]): Selected[] {
    const type = this.#typeOf(field);
    if (type === undefined || isLeaf(type) || open.includes(type.name) || this.#left <= 0) return [];
    if (field.type.item !== undefined && depth > 1) return [];
    if (this.#entries(type) !== undefined) return [];
    const inner = this.of(type, depth, open);
    return inner.length === 0 ? [] : [{ text: field.name, inner }];
  }

  /** The field that leads to the entries, where the type is a connection (Relay's cursor connections). */
  #entries(type: NamedType): Field | undefined {
    const isList = (name: string) => type.fields.find((field) => field.name === name && field.type.item !== undefined);
    const edges = isList("edges");
    if (edges === undefined || this.#field(this.#typeOf(edges), "node") === undefined) return undefined;
    const nodes = isList("nodes");
    return nodes !== undefined && nodes.args.length === 0 ? nodes : edges;
  }

  #connection(type: NamedType, entries: Field, depth: number, open: readonly string[]): Selected[] {
    const edge = this.#typeOf(entries);
    const node = entries.name === "nodes" ? edge : this.#typeOf(this.#field(edge, "node"));
    const inner = node === undefined || isLeaf(node) ? [] : this.of(node, depth, open);
    const entry = inner.length === 0 ? [typename] : inner;
    const pageInfo = this.#typeOf(this.#field(type, "pageInfo"));
    const page = ["hasNextPage", "endCursor"].filter((name) => isLeaf(this.#typeOf(this.#field(pageInfo, name))));
    return [
      ...this.#leaves(
        type.fields.filter(({ args }) => args.length === 0),
        5,
      ),
      entries.name === "nodes"
        ? { text: "nodes", inner: entry }
        : { text: "edges", inner: [{ text: "node", inner: node !== undefined && isLeaf(node) ? [] : entry }] },
      ...(page.length > 0 ? [{ text: "pageInfo", inner: page.map((name) => ({ text: name, inner: [] })) }] : []),
    ];
  }

  /** Fields of one name must be of one type in all members; others get a name of their own. */
  #union({ possibleTypes }: NamedType): Selected[] {
    const typeOfName = new Map<string, string>();
    const members = possibleTypes.slice(0, maxMembersOfUnion).flatMap((name) => {
      const fields = this.#schema.type(name)?.fields.filter(({ args }) => args.length === 0) ?? [];
      const inner = this.#leaves(fields, maxLeaves[1]).map(({ text }) => {
        const type = fields.find((field) => field.name === text)?.type.text ?? "";
        const isSame = (typeOfName.get(text) ?? type) === type;
        if (isSame) typeOfName.set(text, type);
        return { text: isSame ? text : `${text}Of${name}: ${text}`, inner: [] };
      });
      return inner.length === 0 ? [] : [{ text: `... on ${name}`, inner }];
    });
    return [typename, ...members];
  }

  #field(type: NamedType | undefined, name: string): Field | undefined {
    return type?.fields.find((field) => field.name === name && field.args.length === 0);
  }

  #typeOf(field: Field | undefined): NamedType | undefined {
    return field === undefined ? undefined : this.#schema.type(field.type.name);
  }
}

function isLeaf(type: NamedType | undefined): boolean {
  return type?.kind === "SCALAR" || type?.kind === "ENUM";
}

function print(selected: readonly Selected[], indent: string): string {
  const lines = selected.map(
    ({ text, inner }) => `${indent}  ${text}${inner.length === 0 ? "" : print(inner, `${indent}  `)}\n`,
  );
  return ` {\n${lines.join("")}${indent}}`;
}

/**
 * Finds the description of an API from any address of it: the address itself, what that links to, the places where such
 * documents usually are, and GraphQL introspection. Every request is guarded as those of capabilities are (T11), there
 * are only so many of them, and each is told.
 */
import { ConfigError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import type { JsonObject } from "../../lib/json.ts";
import { Refusal } from "../refusal.ts";
import type { CheckTarget } from "../ssrf.ts";
import { type FetchedPage, fetchPage } from "./fetch-document.ts";
import { introspectionQuery } from "./graphql-schema.ts";
import { type ImportKind, kindOf } from "./import-document.ts";
import { parseDocument } from "./parse-document.ts";
import { linksInDocument, linksInHeader, linksInPage } from "./spec-links.ts";

export interface FoundSpec {
  readonly kind: ImportKind;
  readonly document: JsonObject;
  readonly url: URL;
  /** The address answers GraphQL; what was found is no file. */
  readonly isEndpoint: boolean;
}

export interface Discovery {
  readonly checkTarget: CheckTarget;
  /** Told of every request and what came of it. */
  tell(line: string): void;
}

const maxRequests = 40;
/** Requests in a row that a host does not answer before it is left alone. */
const maxUnanswered = 3;
const requestTimeoutMs = 10_000;
const wholeTimeoutMs = 60_000;

/** Below the address and below the root of its host. */
const usualPlaces = [
  "openapi.json",
  "openapi.yaml",
  "openapi.yml",
  "swagger.json",
  "swagger.yaml",
  "v3/api-docs",
  "v2/api-docs",
  "api-docs",
  "api-docs.json",
  "docs/openapi.json",
  "api/openapi.json",
  "swagger/v1/swagger.json",
];
const graphqlPlaces = ["/graphql", "/api/graphql"];

/** `undefined` when nothing was found. @throws Refusal when the address itself may not be asked */
export function discoverSpec(url: URL, discovery: Discovery): Promise<FoundSpec | undefined> {
  return new Search(url, discovery).run();
}

class Search {
  readonly #start: URL;
  readonly #discovery: Discovery;
  readonly #signal = AbortSignal.timeout(wholeTimeoutMs);
  readonly #asked = new Set<string>();
  /** By host, since its last answer. */
  readonly #unanswered = new Map<string, number>();

  constructor(start: URL, discovery: Discovery) {
    this.#start = start;
    this.#discovery = discovery;
  }

  async run(): Promise<FoundSpec | undefined> {
    await this.#discovery.checkTarget(this.#start);
    const start = this.#start;
    const endpoints = [start, ...graphqlPlaces.map((path) => new URL(path, start))];
    if (/graphi?ql|\bgql\b/i.test(start.pathname)) return (await this.#introspect(endpoints)) ?? this.#documents();
    return (await this.#documents()) ?? this.#introspect(endpoints);
  }

  async #documents(): Promise<FoundSpec | undefined> {
    const start = this.#start;
    const catalog = new URL("/.well-known/api-catalog", start);
    const isFile = /\.[^/]*$/.test(start.pathname);
    const bases = [new URL(isFile ? "./" : `${start.pathname.replace(/\/$/, "")}/`, start), new URL("/", start)];
    const usual = usualPlaces.flatMap((place) => bases.map((base) => new URL(place, base)));
    for (const url of [start, catalog, ...usual]) {
      const found = await this.#follow(url, 2);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** @param hops how many links lead on from there */
  async #follow(url: URL, hops: number): Promise<FoundSpec | undefined> {
    if (this.#asked.size >= maxRequests - 1 - graphqlPlaces.length) return undefined;
    const page = await this.#ask(url);
    if (page === undefined) return undefined;
    const document = await this.#parsed(page);
    const kind = document === undefined ? undefined : kindOf(document);
    if (document !== undefined && kind !== undefined) return this.#found("GET", kind, document, page.url);
    const isPage = /html|javascript/.test(page.mimeType) || /^\s*</.test(page.text);
    const links = [
      ...linksInHeader(page.link, page.url),
      ...(document === undefined ? [] : linksInDocument(document, page.url)),
      ...(isPage ? linksInPage(page.text, page.url) : []),
    ];
    this.#tell("GET", url, links.length === 0 ? "no description of an API" : `leads to ${links.length} more`);
    if (hops === 0) return undefined;
    for (const link of links) {
      const found = await this.#follow(link, hops - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #introspect(endpoints: readonly URL[]): Promise<FoundSpec | undefined> {
    for (const url of endpoints) {
      const page = await this.#ask(url, JSON.stringify({ query: introspectionQuery }));
      if (page === undefined) continue;
      const document = await this.#parsed(page);
      const kind = document === undefined ? undefined : kindOf(document);
      if (document !== undefined && kind === "graphql") return this.#found("POST", kind, document, page.url);
      this.#tell("POST", url, "no GraphQL introspection");
    }
    return undefined;
  }

  #found(method: string, kind: ImportKind, document: JsonObject, url: URL): FoundSpec {
    this.#tell(method, url, `found ${names[kind]}`);
    return { kind, document, url, isEndpoint: method === "POST" };
  }

  /** `undefined` when there is nothing to read, which is told. */
  async #ask(url: URL, body?: string): Promise<FetchedPage | undefined> {
    const method = body === undefined ? "GET" : "POST";
    const line = `${method} ${url.href}`;
    const unanswered = this.#unanswered.get(url.host) ?? 0;
    if (this.#asked.has(line) || this.#asked.size >= maxRequests || unanswered >= maxUnanswered) return undefined;
    if (this.#signal.aborted) return undefined;
    this.#asked.add(line);
    const { checkTarget } = this.#discovery;
    const options = {
      checkTarget,
      signal: this.#signal,
      timeoutMs: requestTimeoutMs,
      ...(body !== undefined && { body }),
    };
    try {
      const page = await fetchPage(url.href, options);
      this.#unanswered.delete(url.host);
      return page;
    } catch (error) {
      if (!(error instanceof Refusal) && !this.#signal.aborted) throw error;
      const isAnswered = error instanceof Refusal && error.outcome === "answered";
      this.#unanswered.set(url.host, isAnswered ? 0 : unanswered + 1);
      this.#tell(method, url, error instanceof Refusal ? error.message : "there is no time left");
      return undefined;
    }
  }

  async #parsed({ text, mimeType, url }: FetchedPage): Promise<JsonObject | undefined> {
    if (/html|javascript/.test(mimeType) || /^\s*</.test(text)) return undefined;
    try {
      return await parseDocument(url.href, text);
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  }

  #tell(method: string, url: URL, outcome: string): void {
    this.#discovery.tell(escapeHidden(`${method} ${url.href}: ${outcome}`));
  }
}

const names = { openapi: "an OpenAPI document", graphql: "a GraphQL schema", postman: "a Postman collection" };

/**
 * Why each package is there and where it may be imported: the README's table is made from it, and the architecture
 * tests hold the source to it. `homes` are rooms or files of `src/`; development packages have none.
 */
interface Dependency {
  readonly homes?: readonly string[];
  /** Too heavy for start-up: never imported by name at the top of a file that `main.ts` reaches. */
  readonly lazy?: boolean;
  /** Only `import type` and `import()`. */
  readonly typesOrLazy?: boolean;
  readonly reason: string;
}

export const dependencies: Readonly<Record<string, Dependency>> = {
  "@modelcontextprotocol/client": {
    homes: ["upstreams"],
    lazy: true,
    typesOrLazy: true,
    reason: "OAuth client of HTTP backends, loaded when one wants a login; independent peer in tests",
  },
  "@modelcontextprotocol/sdk": {
    homes: [],
    lazy: true,
    typesOrLazy: true,
    reason:
      "Clients and servers of the first generation: independent peers in tests, nothing of it is in the executable",
  },
  "@redis/client": {
    homes: ["runtime/redis.ts"],
    lazy: true,
    typesOrLazy: true,
    reason: "Connection to the Redis that several gateways share, loaded for configurations that have one",
  },
  "@opentelemetry/api": {
    homes: ["observe/traces/otel-tracer.ts"],
    lazy: true,
    reason: "What spans and their context are called, for the SDK below",
  },
  "@opentelemetry/core": {
    homes: ["observe/traces/otel-tracer.ts"],
    lazy: true,
    reason: "Reads and writes `traceparent` and `tracestate`",
  },
  "@opentelemetry/exporter-trace-otlp-http": {
    homes: ["observe/traces/otel-tracer.ts"],
    lazy: true,
    reason: "Sends spans to collectors; it and the SDK are loaded where `tracing` is configured",
  },
  "@opentelemetry/resources": {
    homes: ["observe/traces/otel-tracer.ts"],
    lazy: true,
    reason: "Says whose spans they are",
  },
  "@opentelemetry/sdk-trace": {
    homes: ["observe/traces/otel-tracer.ts"],
    lazy: true,
    reason: "Spans, sampling and batches of OpenTelemetry",
  },
  citty: { homes: ["main.ts", "commands"], reason: "Commands, flags and help texts as data, 5 kB" },
  consola: { homes: ["commands"], lazy: true, reason: "Questions and coloured output of interactive commands" },
  "@jitl/quickjs-singlefile-mjs-release-sync": {
    homes: ["sandbox"],
    lazy: true,
    reason: "QuickJS as WebAssembly: the interpreter that programs in code mode cannot leave, loaded at the first one",
  },
  "fastest-levenshtein": {
    homes: ["lib/did-you-mean.ts", "catalog/nearest-names.ts"],
    reason: "Edit distance behind every “did you mean”",
  },
  hono: { homes: ["doors"], lazy: true, reason: "Routing of the HTTP door; adds nothing measurable to start-up" },
  jose: {
    homes: ["doors/tokens/token-verifier.ts", "doors/tokens/issuer-keys.ts", "upstreams/identity/assertion-keys.ts"],
    lazy: true,
    typesOrLazy: true,
    reason: "Signatures of access tokens, and of what servers are told of callers; loaded with the first one",
  },
  minisearch: {
    homes: ["catalog"],
    lazy: true,
    reason: "Beginnings and misspellings of search terms, from its radix tree; loaded at the first search",
  },
  "quickjs-emscripten-core": {
    homes: ["sandbox"],
    lazy: true,
    reason: "Carries values and calls in and out of QuickJS",
  },
  "safe-regex2": {
    homes: ["core/transform/pattern.ts"],
    lazy: true,
    reason: "Refuses regular expressions of configuration files that some texts would take forever",
  },
  valibot: {
    homes: ["core/kinds.ts", "config", "capabilities"],
    lazy: true,
    reason: "Schemas as data: types, validation, JSON Schema and the tables below come from them",
  },
  yaml: {
    homes: [
      "lib/yaml-document.ts",
      "config/edit.ts",
      "config/edit-setting.ts",
      "config/identity-grants/edit-grants.ts",
    ],
    lazy: true,
    reason: "Reads files with positions, edits them with comments kept",
  },
};

export const developmentDependencies: Readonly<Record<string, string>> = {
  "@a2a-js/sdk": "Independent peer in tests: the official server of A2A, 1.0 and 0.3",
  "@biomejs/biome": "Format and lint in one program",
  "@modelcontextprotocol/conformance": "The official conformance suite",
  "@modelcontextprotocol/inspector": "Independent peer in tests: the client people debug with",
  "@modelcontextprotocol/server": "Peer in tests: the official server, second generation",
  "@modelcontextprotocol/server-everything": "Real server of the quick start and the end-to-end tests",
  "@modelcontextprotocol/server-filesystem": "Real server of the quick start and the end-to-end tests",
  "@modelcontextprotocol/server-memory": "Real server of the quick start and the end-to-end tests",
  "@types/bun": "Types of the runtime",
  "@types/node": "Types of the runtime",
  assemblyscript: "Makes WebAssembly of the two `.as` files in `src/lib`",
  bun: "Builds the executable; first runtime of the tests",
  deno: "Second runtime of the source and of the tests",
  graphql: "Independent peer in tests: runs the documents that GraphQL import generates",
  "gpt-tokenizer": "Counts what the tool list costs a model",
  typescript: "Checks the types",
};

/** The rules themselves, on small trees: each finds what breaks it and accepts what keeps it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as rules from "./rules.ts";
import type { SourceTree } from "./source-tree.ts";

interface Case {
  readonly name: string;
  readonly rule: (tree: SourceTree) => string[];
  readonly kept: Record<string, string>;
  readonly broken: Record<string, string>;
  /** What the sentence must say. */
  readonly says: RegExp;
}

const leaf = "export const x = 1;\n";
const cases: Case[] = [
  {
    name: "a room imports from below only",
    rule: rules.arrowsPointDown,
    kept: { "lib/a.ts": leaf, "core/b.ts": `import { x } from "../lib/a.ts";\n` },
    broken: { "core/b.ts": leaf, "lib/a.ts": `import { x } from "../core/b.ts";\n` },
    says: /lib\/a\.ts imports core\/b\.ts: core\/ is not below lib\//,
  },
  {
    name: "types obey the arrows too",
    rule: rules.arrowsPointDown,
    kept: { "lib/a.ts": leaf, "core/b.ts": `import type { X } from "../lib/a.ts";\n` },
    broken: { "doors/d.ts": leaf, "gateway/g.ts": `import type {\n  X,\n} from "../doors/d.ts";\n` },
    says: /doors\/ is not below gateway\//,
  },
  {
    name: "a lazy import obeys the arrows too",
    rule: rules.arrowsPointDown,
    kept: { "doors/d.ts": leaf, "commands/c.ts": `const d = () => import("../doors/d.ts");\n` },
    broken: { "doors/d.ts": leaf, "meta/m.ts": `const d = () => import("../doors/d.ts");\n` },
    says: /doors\/ is not below meta\//,
  },
  {
    name: "siblings never import each other",
    rule: rules.arrowsPointDown,
    kept: { "core/c.ts": leaf, "stages/retry/retry.ts": `import { x } from "../../core/c.ts";\n` },
    broken: { "catalog/c.ts": leaf, "stages/order.ts": `import { x } from "../catalog/c.ts";\n` },
    says: /catalog\/ is not below stages\//,
  },
  {
    name: "a schema may be imported from anywhere",
    rule: rules.arrowsPointDown,
    kept: { "doors/schema.ts": leaf, "config/c.ts": `import { x } from "../doors/schema.ts";\n` },
    broken: { "doors/server.ts": leaf, "config/c.ts": `import { x } from "../doors/server.ts";\n` },
    says: /doors\/ is not below config\//,
  },
  {
    name: "a schema imports only kinds and schemas",
    rule: rules.arrowsPointDown,
    kept: { "core/kinds.ts": leaf, "doors/schema.ts": `import { x } from "../core/kinds.ts";\n` },
    broken: { "core/errors.ts": leaf, "doors/schema.ts": `import { x } from "../core/errors.ts";\n` },
    says: /is a schema and imports core\/errors\.ts/,
  },
  {
    name: "runtime is for rooms that do I/O",
    rule: rules.arrowsPointDown,
    kept: { "runtime/r.ts": leaf, "upstreams/u.ts": `import { x } from "../runtime/r.ts";\n` },
    broken: { "runtime/r.ts": leaf, "stages/s.ts": `import { x } from "../runtime/r.ts";\n` },
    says: /does I\/O in stages\//,
  },
  {
    name: "runtime knows only lib and core",
    rule: rules.arrowsPointDown,
    kept: { "lib/l.ts": leaf, "runtime/r.ts": `import { x } from "../lib/l.ts";\n` },
    broken: { "mcp/m.ts": leaf, "runtime/r.ts": `import { x } from "../mcp/m.ts";\n` },
    says: /runtime\/ knows only/,
  },
  {
    name: "an unknown room is found",
    rule: rules.arrowsPointDown,
    kept: { "lib/l.ts": leaf, "core/c.ts": `import { x } from "../lib/l.ts";\n` },
    broken: { "shed/s.ts": leaf, "core/c.ts": `import { x } from "../shed/s.ts";\n` },
    says: /shed\/ is no room/,
  },
  {
    name: "an import of a missing file is found",
    rule: rules.arrowsPointDown,
    kept: { "lib/l.ts": leaf, "lib/m.ts": `import { x } from "./l.ts";\n` },
    broken: { "lib/m.ts": `import { x } from "./gone.ts";\n` },
    says: /does not exist/,
  },
  {
    name: "a stage does not know another stage",
    rule: rules.stagesAreIndependent,
    kept: { "stages/retry/r.ts": leaf, "stages/order.ts": `import { x } from "./retry/r.ts";\n` },
    broken: { "stages/retry/r.ts": leaf, "stages/breaker/b.ts": `import { x } from "../retry/r.ts";\n` },
    says: /stages\/breaker must not know stages\/retry/,
  },
  {
    name: "hono lives in doors",
    rule: rules.packagesStayHome,
    kept: { "doors/http.ts": `import { Hono } from "hono";\n` },
    broken: { "gateway/g.ts": `import { cors } from "hono/cors";\n` },
    says: /gateway\/g\.ts imports "hono", whose home is doors/,
  },
  {
    name: "a package without a home is found",
    rule: rules.packagesStayHome,
    kept: { "config/edit.ts": `import { parse } from "yaml";\n` },
    broken: { "config/c.ts": `import _ from "lodash";\n` },
    says: /imports "lodash"/,
  },
  {
    name: "a schema imports no package but valibot",
    rule: rules.packagesStayHome,
    kept: { "config/schema.ts": `import * as v from "valibot";\n` },
    broken: { "config/schema.ts": `import { parse } from "yaml";\n` },
    says: /is a schema and imports "yaml"/,
  },
  {
    name: "the SDK is used for types or lazily",
    rule: rules.packagesStayHome,
    kept: {
      "upstreams/a.ts": `import type { Tool } from "@modelcontextprotocol/client/types.js";\n`,
      "upstreams/b.ts": `const auth = () => import("@modelcontextprotocol/client/client/auth.js");\n`,
    },
    broken: { "upstreams/a.ts": `import { Client } from "@modelcontextprotocol/client/client/index.js";\n` },
    says: /loads "@modelcontextprotocol\/client"/,
  },
  {
    name: "node modules stay in runtime",
    rule: rules.runtimeStaysInRuntime,
    kept: { "runtime/files.ts": `import { readFile } from "node:fs/promises";\n` },
    broken: { "config/load.ts": `import { readFile } from "node:fs/promises";\n` },
    says: /imports "node:fs\/promises" outside runtime/,
  },
  {
    name: "Bun and Deno stay in runtime, words in comments and strings aside",
    rule: rules.runtimeStaysInRuntime,
    kept: {
      "doors/d.ts": `// Bun.serve is elsewhere\nexport const hint = "Deno.serve";\n`,
      "runtime/r.ts": "Bun.serve({});\n",
    },
    broken: { "doors/d.ts": "export const s = Bun.serve({});\n" },
    says: /says "Bun\." outside runtime/,
  },
  {
    name: "start-up loads nothing heavy, however far away",
    rule: rules.startUpStaysLight,
    kept: {
      "main.ts": `import { run } from "./commands/serve.ts";\n`,
      "commands/serve.ts": `import type { Config } from "../config/c.ts";\nexport const run = () => import("../config/c.ts");\n`,
      "config/c.ts": `import { parse } from "yaml";\n`,
    },
    broken: {
      "main.ts": `import { run } from "./commands/serve.ts";\n`,
      "commands/serve.ts": `import { load } from "../config/c.ts";\n`,
      "config/c.ts": `import { parse } from "yaml";\n`,
    },
    says: /main\.ts → commands\/serve\.ts → config\/c\.ts loads "yaml" at start-up/,
  },
  {
    name: "serving loads nothing of the runtime before the port is open",
    rule: rules.servingStaysLight,
    kept: {
      "commands/run/serve.ts": `import { load } from "../../config/c.ts";\n`,
      "config/c.ts": `import { outline } from "./config-outline.ts";\nconst fs = () => import("node:fs/promises");\n`,
      "config/config-outline.ts": `import * as v from "valibot";\n`,
      "doors/http/listen.ts": `import { Hono } from "hono";\n`,
    },
    broken: {
      "commands/run/serve.ts": `import { load } from "../../config/c.ts";\n`,
      "config/c.ts": `import { readFile } from "node:fs/promises";\n`,
      "doors/http/listen.ts": leaf,
    },
    says: /serve\.ts → config\/c\.ts loads "node:fs" before the port is open/,
  },
  {
    name: "serving loads nothing before the port is open that the first answer can do without",
    rule: rules.servingStaysLight,
    kept: {
      "commands/run/serve.ts": `const methods = () => import("../../clients/methods.ts");\n`,
      "doors/http/listen.ts": leaf,
      "clients/methods.ts": leaf,
    },
    broken: {
      "commands/run/serve.ts": `import { face } from "../../clients/face.ts";\n`,
      "doors/http/listen.ts": leaf,
      "clients/face.ts": `import { methods } from "./methods.ts";\n`,
    },
    says: /serve\.ts → clients\/face\.ts loads "clients\/methods\.ts" before the port is open/,
  },
  {
    name: "an embedded gateway leaves the program that embeds it alone",
    rule: rules.embeddingIsQuiet,
    kept: {
      "embed/create-gateway.ts": `export const start = () => import("./embedded.ts");\n`,
      "embed/embedded.ts": `import { environment } from "../runtime/process.ts";\n`,
      "runtime/process.ts": leaf,
      "commands/run/serve.ts": `import { exit, onSignal } from "../../runtime/process.ts";\n`,
    },
    broken: {
      "embed/create-gateway.ts": `export const start = () => import("./embedded.ts");\n`,
      "embed/embedded.ts": `import { listen } from "../doors/listen.ts";\n`,
      "doors/listen.ts": `import { environment, onSignal } from "../runtime/process.ts";\n`,
      "runtime/process.ts": leaf,
    },
    says: /doors\/listen\.ts uses onSignal\(\), and can be loaded by an embedded gateway/,
  },
  {
    name: "the declaration of the library stands alone",
    rule: rules.embeddingIsQuiet,
    kept: { "embed/create-gateway.ts": leaf },
    broken: {
      "embed/create-gateway.ts": `import type { Config } from "../config/schema.ts";\n`,
      "config/schema.ts": leaf,
    },
    says: /create-gateway\.ts imports "\.\.\/config\/schema\.ts"/,
  },
  {
    name: "file names say what is inside",
    rule: rules.filesAreNamedWell,
    kept: { "upstreams/stdio/line-reader.ts": leaf },
    broken: { "upstreams/process-manager.ts": leaf },
    says: /called "manager"/,
  },
  {
    name: "file names are kebab-case",
    rule: rules.filesAreNamedWell,
    kept: { "lib/token-bucket.ts": leaf },
    broken: { "lib/tokenBucket.ts": leaf },
    says: /kebab-case/,
  },
  {
    name: "no file is longer than 400 lines",
    rule: rules.filesAreShort,
    kept: { "lib/a.ts": "\n".repeat(400) },
    broken: { "lib/a.ts": "\n".repeat(401) },
    says: /has 401 lines/,
  },
  {
    name: "no file re-exports another",
    rule: rules.noBarrels,
    kept: {
      "meta/index.ts": `import { x } from "./x.ts";\nexport const all = [x];\n`,
      "runtime/paths.ts": `export { join } from "node:path";\n`,
    },
    broken: { "meta/index.ts": `export * from "./x.ts";\n` },
    says: /meta\/index\.ts re-exports/,
  },
  {
    name: "one file below gateway calls upstreams",
    rule: rules.upstreamsAreCalledOnce,
    kept: { "gateway/dispatch.ts": "upstream.request(call);\n", "upstreams/stdio/s.ts": "connection.request(r);\n" },
    broken: { "gateway/dispatch.ts": "upstream.request(call);\n", "meta/invoke.ts": "upstream.request(call);\n" },
    says: /gateway\/dispatch\.ts, meta\/invoke\.ts/,
  },
  {
    name: "a gateway that calls no upstream is found",
    rule: rules.upstreamsAreCalledOnce,
    kept: { "gateway/dispatch.ts": "upstream.request(call);\n" },
    broken: { "gateway/dispatch.ts": leaf },
    says: /is in none/,
  },
  {
    name: "the map describes every room",
    rule: (tree) => rules.mapIsTrue(tree, "| `lib/` | pieces |\n"),
    kept: { "lib/a.ts": leaf },
    broken: { "lib/a.ts": leaf, "core/b.ts": leaf },
    says: /describes core 0 times/,
  },
  {
    name: "the map describes nothing that is gone",
    rule: (tree) => rules.mapIsTrue(tree, "| `lib/` | pieces |\n| `main.ts` | see `lib/a.ts` |\n"),
    kept: { "lib/a.ts": leaf, "main.ts": leaf },
    broken: { "lib/b.ts": leaf, "main.ts": leaf },
    says: /names lib\/a\.ts, which does not exist/,
  },
];

for (const { name, rule, kept, broken, says } of cases) {
  test(`rule: ${name}`, () => {
    assert.deepEqual(rule(new Map(Object.entries(kept))), []);
    assert.match(rule(new Map(Object.entries(broken))).join("\n"), says);
  });
}

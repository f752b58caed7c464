import type { Command, OptionDef } from "./command.ts";
import { discover } from "./discover.ts";

const directory: OptionDef = {
  type: "string",
  alias: "C",
  valueHint: "path",
  description: "Folder of capability files, ./capabilities by default",
};
const json: OptionDef = { type: "boolean", description: "As JSON" };
const file: OptionDef = { type: "positional", description: "Capability file" };

const validate = {
  meta: { name: "validate", description: "Say everything that is wrong with capability files, with its place" },
  args: { file, json },
  manyWords: true,
  run: async (input) => (await import("./run/cap-validate.ts")).run(input),
} satisfies Command;

const list = {
  meta: { name: "list", description: "List the capabilities of a folder" },
  args: {
    directory: { type: "positional", required: false, description: "Folder, ./capabilities by default" },
    builtin: { type: "boolean", description: "Those of the program instead" },
    json,
  },
  run: async (input) => (await import("./run/cap-list.ts")).runList(input),
} satisfies Command;

const search = {
  meta: { name: "search", description: "Find capabilities, built-in ones too, by words of name, description and tags" },
  args: { query: { type: "positional", description: "Words" }, capabilities: directory, json },
  manyWords: true,
  run: async (input) => (await import("./run/cap-list.ts")).runSearch(input),
} satisfies Command;

const registryList = {
  meta: { name: "registry-list", description: "List all capabilities, built-in ones too, with their tags" },
  args: { capabilities: directory, json },
  run: async (input) => (await import("./run/cap-list.ts")).runRegistryList(input),
} satisfies Command;

const test = {
  meta: { name: "test", description: "Call a capability once, by file or by the name of a built-in one" },
  args: {
    file: { type: "positional", description: "Capability file, or name" },
    args: { type: "string", alias: "a", valueHint: "json", default: "{}", description: "Arguments as a JSON object" },
  },
  run: async (input) => (await import("./run/cap-test.ts")).run(input),
} satisfies Command;

const lint = {
  meta: { name: "lint", description: "Say what makes capabilities hard to use for models, rule by rule" },
  args: {
    paths: { type: "positional", description: "Files and folders" },
    format: { type: "enum", alias: "f", options: ["text", "json", "sarif"], default: "text", description: "Output" },
    severity: {
      type: "enum",
      alias: "s",
      options: ["info", "warn", "fail"],
      default: "info",
      description: "Least severity shown",
    },
  },
  manyWords: true,
  run: async (input) => (await import("./run/cap-lint.ts")).run(input),
} satisfies Command;

const pin = {
  meta: { name: "pin", description: "Pin capability files by their SHA-256: changed ones are withdrawn" },
  args: { file },
  manyWords: true,
  run: async (input) => (await import("./run/cap-pin.ts")).run(input),
} satisfies Command;

const install = {
  meta: { name: "install", description: "Copy a built-in capability into a folder, to be changed there" },
  args: {
    name: { type: "positional", description: "Name of a built-in capability" },
    output: { type: "string", alias: "o", valueHint: "path", default: "capabilities", description: "Folder" },
  },
  run: async (input) => (await import("./run/cap-install.ts")).run(input),
} satisfies Command;

const written = {
  output: { type: "string", alias: "o", valueHint: "path", default: "capabilities", description: "Folder" },
  prefix: { type: "string", alias: "p", valueHint: "name", description: "Stands before every name" },
  force: { type: "boolean", description: "Replace files that are there" },
  "dry-run": { type: "boolean", description: "Write nothing, list what would be made" },
} as const;

const importSpec = {
  meta: {
    name: "import",
    description: "Make capability files of OpenAPI 3, Swagger 2, a Postman collection or a GraphQL introspection",
  },
  args: {
    spec: { type: "positional", description: "File or http(s) address of the document, YAML or JSON" },
    ...written,
    "auth-key": { type: "string", valueHint: "ref", description: "Where the key is, e.g. env:API_KEY" },
  },
  run: async (input) => (await import("./run/cap-import.ts")).run(input),
} satisfies Command;

const importUrl = {
  meta: {
    name: "import-url",
    description:
      "Find the OpenAPI document or GraphQL schema of an API by its address, and make capability files of it",
  },
  args: {
    url: { type: "positional", description: "Address of the API, of its documentation or of its description" },
    ...written,
    auth: { type: "string", valueHint: "ref", description: "Where the key is, e.g. env:API_KEY" },
    "max-endpoints": { type: "string", valueHint: "n", default: "50", description: "Most files to make" },
    "cost-per-call": { type: "string", valueHint: "usd", description: "Print cost_governance settings of this cost" },
  },
  run: async (input) => (await import("./run/cap-import-url.ts")).run(input),
} satisfies Command;

export const cap = {
  meta: { name: "cap", description: "About capabilities: APIs and programs as tools, described in YAML" },
  subCommands: {
    validate,
    list,
    test,
    lint,
    pin,
    import: importSpec,
    "import-url": importUrl,
    install,
    search,
    "registry-list": registryList,
    discover,
  },
} satisfies Command;

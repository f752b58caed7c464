import type { Command, OptionDef } from "./command.ts";

const capabilities: OptionDef = {
  type: "string",
  alias: "C",
  valueHint: "path",
  description: "Folder of capability files, in place of those of the configuration",
};
const format = (fallback: string): OptionDef => ({
  type: "enum",
  alias: "f",
  options: ["json", "yaml"],
  default: fallback,
  description: "Output",
});
const keyId: OptionDef = {
  type: "string",
  valueHint: "name",
  default: "default",
  description: "Name of the key in security.remote_server_signing.trusted_keys",
};

const generate = {
  meta: {
    name: "generate",
    description: "Write a trust card for every tool, and a bill of materials of them all (CycloneDX 1.6)",
  },
  args: {
    capabilities,
    format: format("json"),
    output: { type: "string", alias: "o", valueHint: "file", description: "File to write, stdout by default" },
    cbom: { type: "boolean", description: "The bill of materials alone" },
  },
  run: async (input) => (await import("./run/trust-cards.ts")).generate(input),
} satisfies Command;

const inspect = {
  meta: { name: "inspect", description: "Show the trust card of one tool" },
  args: {
    name: { type: "positional", description: "Name of a capability, or server:tool" },
    capabilities,
    format: format("yaml"),
  },
  run: async (input) => (await import("./run/trust-cards.ts")).inspect(input),
} satisfies Command;

const validate = {
  meta: {
    name: "validate",
    description: "Say what in the trust cards needs attention, and what differs from those of a file",
  },
  args: {
    capabilities,
    file: { type: "string", valueHint: "path", description: "What `trust generate` wrote before" },
    strict: { type: "boolean", description: "Fail on warnings too" },
  },
  run: async (input) => (await import("./run/trust-cards.ts")).validate(input),
} satisfies Command;

const keygen = {
  meta: { name: "keygen", description: "Make an Ed25519 key that signs backends" },
  args: {
    output: { type: "string", alias: "o", valueHint: "file", default: "trust.key", description: "Private key, as PEM" },
    "key-id": keyId,
  },
  run: async (input) => (await import("./run/trust-sign.ts")).keygen(input),
} satisfies Command;

const signBackend = {
  meta: { name: "sign-backend", description: "Sign that the name of a remote backend stands for its address" },
  args: {
    name: { type: "positional", description: "Name of the backend, or name/id of a replica" },
    key: { type: "string", valueHint: "file", default: "trust.key", description: "Private key, as PEM" },
    "key-id": keyId,
    subject: { type: "string", valueHint: "text", description: "Whom the backend is of; its name by default" },
    issuer: { type: "string", valueHint: "text", description: "Who signs; the name of the key by default" },
  },
  run: async (input) => (await import("./run/trust-sign.ts")).signBackend(input),
} satisfies Command;

export const trust = {
  meta: { name: "trust", description: "Trust cards of tools, a bill of materials, and signatures of remote backends" },
  subCommands: { generate, inspect, validate, keygen, "sign-backend": signBackend },
} satisfies Command;

import type { Command, OptionDef } from "./command.ts";

const path: OptionDef = {
  type: "string",
  valueHint: "path",
  description: "File of the grants, that of the configuration by default",
};
const list = {
  meta: { name: "list", description: "List the grants" },
  args: {
    path,
    "active-only": { type: "boolean", description: "Without those that have ended" },
    format: { type: "enum", alias: "f", options: ["table", "json"], default: "table", description: "Output" },
  },
  run: async (input) => (await import("./run/identity-grants.ts")).list(input),
} satisfies Command;

const grant = {
  meta: { name: "grant", description: "Let somebody use tools; a running gateway notices" },
  args: {
    path,
    subject: {
      type: "string",
      valueHint: "authority:subject",
      description: "Issuer and subject of a token, or key, user or agent and a name; may be a glob",
    },
    agent: { type: "string", valueHint: "name", description: "The agent of that name, as --subject agent:NAME" },
    "any-agent": { type: "boolean", description: "Every agent, as --subject agent:*" },
    email: { type: "string", valueHint: "glob", description: "Address that an issuer vouches for" },
    group: {
      type: "string",
      valueHint: "glob",
      description: "Group of a token; who is given must fit all that is named",
    },
    server: { type: "string", valueHint: "glob", repeatable: true, description: "Backend; may be repeated" },
    tool: {
      type: "string",
      valueHint: "glob",
      repeatable: true,
      description: "Tool of them, as tool or server:tool, all by default; may be repeated",
    },
    capability: {
      type: "string",
      valueHint: "name",
      repeatable: true,
      description: "Capability, in place of --server and --tool; may be repeated",
    },
    "expires-at": { type: "string", valueHint: "time", description: "When it ends: a date, or a time with its zone" },
    "ttl-seconds": { type: "string", valueHint: "number", description: "In how many seconds it ends" },
    reason: { type: "string", valueHint: "text", description: "Why it is given; required" },
    "grant-id": { type: "string", valueHint: "id", description: "Its id, made up by default" },
    replace: { type: "boolean", description: "In place of the grant of that id, if there is one" },
  },
  run: async (input) => (await import("./run/identity-grants.ts")).grant(input),
} satisfies Command;

const revoke = {
  meta: { name: "revoke", description: "Remove a grant; a running gateway notices" },
  args: { path, "grant-id": { type: "string", valueHint: "id", description: "Its id, as listed; required" } },
  run: async (input) => (await import("./run/identity-grants.ts")).revoke(input),
} satisfies Command;

const grants = {
  meta: { name: "grants", description: "Who may use what, in the file of security.identity_grants" },
  subCommands: { list, grant, revoke },
} satisfies Command;

export const identity = {
  meta: { name: "identity", description: "Grants to callers by their identity" },
  subCommands: { grants },
} satisfies Command;

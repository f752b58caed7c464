import type { Command } from "./command.ts";

const path = {
  type: "string",
  valueHint: "file",
  description: "File of the record; that of the configuration by default",
} as const;

const verify = {
  meta: { name: "verify", description: "Check that no entry of the record of calls was changed, moved or left out" },
  args: { path },
  run: async (input) => (await import("./run/audit.ts")).verify(input),
} satisfies Command;

const show = {
  meta: { name: "show", description: "Print entries of the record of calls, as JSON" },
  args: { path, session: { type: "string", valueHint: "id", description: "Only those of this session" } },
  run: async (input) => (await import("./run/audit.ts")).show(input),
} satisfies Command;

const verifyResult = {
  meta: { name: "verify-result", description: "Check the signature and the receipt of a result that a client saved" },
  args: {
    file: { type: "positional", description: "The result as JSON, as the client got it" },
    tool: { type: "string", valueHint: "server:tool", description: "The tool that was called" },
    nonce: { type: "string", valueHint: "text", description: "The nonce of the call, which the result must have" },
    secret: {
      type: "string",
      valueHint: "env:VAR",
      description: "The key; security.message_signing.shared_secret by default",
    },
  },
  run: async (input) => (await import("./run/verify-result.ts")).run(input),
} satisfies Command;

export const audit = {
  meta: { name: "audit", description: "The record of calls, and what the gateway says of results" },
  subCommands: { verify, show, "verify-result": verifyResult },
} satisfies Command;

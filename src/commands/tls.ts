import type { Command } from "./command.ts";

const folder = "/etc/mcp-gateway/tls";
const authority = {
  "ca-cert": {
    type: "string",
    valueHint: "path",
    default: `${folder}/ca.crt`,
    description: "Certificate of the authority",
  },
  "ca-key": { type: "string", valueHint: "path", default: `${folder}/ca.key`, description: "Key of the authority" },
} as const;
const validity = (days: string) =>
  ({ type: "string", valueHint: "days", default: days, description: "Days the certificate is good for" }) as const;
const output = (path: string) =>
  ({ type: "string", alias: "o", valueHint: "folder", default: path, description: "Where the files go" }) as const;

const initCa = {
  meta: { name: "init-ca", description: "Make a certificate authority: ca.crt and ca.key" },
  args: {
    cn: { type: "string", valueHint: "name", default: "MCP Gateway Root CA", description: "Name of the authority" },
    "validity-days": validity("3650"),
    output: output(folder),
  },
  run: async (input) => (await import("./run/tls.ts")).initCa(input),
} satisfies Command;

const issueServer = {
  meta: { name: "issue-server", description: "Issue a certificate for the gateway: server.crt and server.key" },
  args: {
    cn: { type: "string", valueHint: "name", description: "Host name or address of the gateway" },
    "san-dns": { type: "string", valueHint: "names", description: "Further host names and addresses, with commas" },
    ...authority,
    "validity-days": validity("365"),
    output: output(folder),
  },
  run: async (input) => (await import("./run/tls.ts")).issueServer(input),
} satisfies Command;

const issueClient = {
  meta: { name: "issue-client", description: "Issue a certificate for a client: NAME.crt and NAME.key" },
  args: {
    cn: { type: "string", valueHint: "name", description: "Name of the client" },
    ou: { type: "string", valueHint: "unit", description: "Organizational unit" },
    "spiffe-uri": { type: "string", valueHint: "uri", description: "SPIFFE identity, as spiffe://domain/path" },
    ...authority,
    "validity-days": validity("1"),
    output: output("."),
  },
  run: async (input) => (await import("./run/tls.ts")).issueClient(input),
} satisfies Command;

export const tls = {
  meta: { name: "tls", description: "Make certificates for TLS and for clients" },
  subCommands: { "init-ca": initCa, "issue-server": issueServer, "issue-client": issueClient },
} satisfies Command;

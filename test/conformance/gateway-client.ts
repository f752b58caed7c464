/**
 * The gateway as the client that the suite's servers examine: `bun gateway-client.ts URL` starts it with that server as
 * its only backend, and has it make the calls of the scenario. Both sides of the gateway speak the revision of the run.
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startGateway } from "../e2e/harness.ts";

const url = process.argv.at(-1) as string;
const version = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] ?? "2025-11-25";
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as {
  toolCalls?: { name: string; arguments: Record<string, unknown> }[];
  client_id?: string;
  client_secret?: string;
};

/** A value for every property that the tool asks for. */
function sampleArguments(schema: { properties?: Record<string, unknown> | undefined }): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, property]) => {
      const { type } = property as { type?: string };
      if (type === "number" || type === "integer") return [name, 2];
      if (type === "boolean") return [name, true];
      return [name, "value"];
    }),
  );
}

const { client_id, client_secret } = context;
/** The document the suite expects clients to have somewhere. */
const ownDocument = { client_id: "https://conformance-test.local/client-metadata.json" };
const isAboutDocument = process.env["MCP_CONFORMANCE_SCENARIO"] === "auth/basic-cimd";
const oauth = isAboutDocument ? ownDocument : { client_id, client_secret };
const backends = { server: { http_url: url, oauth } };
const gateway = await startGateway({ capabilities: { enabled: false }, backends });

/** Logs in where the gateway says so, as the user would, and tries again; more than a few times it would be asked for ever. */
async function withLogin<T>(attempt: () => Promise<T>): Promise<T> {
  for (let logins = 0; ; logins++)
    try {
      return await attempt();
    } catch (error) {
      const { login_url } = ((error as { data?: object }).data ?? {}) as { login_url?: string };
      if (login_url === undefined || logins === 3) throw error;
      await fetch(login_url);
    }
}
try {
  const client = new Client(
    { name: "conformance-driver", version: "1" },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
      versionNegotiation: version >= "2026" ? { mode: { pin: version } } : { mode: "legacy" },
    },
  );
  client.setRequestHandler("elicitation/create", () => ({ action: "accept" as const, content: { confirmed: true } }));
  client.setRequestHandler("roots/list", () => ({ roots: [] }));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/server`)));
  /** What needs a login is a result, too. */
  const callTool = (call: { name: string; arguments: Record<string, unknown> }) =>
    withLogin(async () => {
      const result = await client.callTool(call);
      const problem = result._meta?.["mcp-gateway/error"] as { login_url?: string } | undefined;
      if (problem?.login_url !== undefined) throw Object.assign(new Error("A login is needed"), { data: problem });
      return result;
    });
  const { tools } = await withLogin(() => client.listTools(undefined, { cacheMode: "bypass" }));
  const calls =
    context.toolCalls ??
    tools.map(({ name, inputSchema }) => ({
      name,
      arguments: name === "json_schema_echo" ? { schema: tools[0]?.inputSchema } : sampleArguments(inputSchema),
    }));
  for (const call of calls) await callTool(call).catch((error) => console.error(`${call.name}: ${error}`));
  if (client.getServerCapabilities()?.prompts !== undefined)
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name }).catch(console.error);
  if (client.getServerCapabilities()?.resources !== undefined)
    for (const { uri } of (await client.listResources()).resources)
      await client.readResource({ uri }).catch(console.error);
  await client.close();
} finally {
  await gateway.stop();
}
process.exit(0);

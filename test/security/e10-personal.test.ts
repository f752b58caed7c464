/** Capabilities that are one person's, and capabilities made of tools that not everybody may use. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RawApi } from "../capabilities/raw-api.ts";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const keys = { ada: "key-of-ada-0123456789", bob: "key-of-bob-0123456789", root: "key-of-root-0123456789" };
const readers = { allowed_tools: ["notes", "gateway:*"], backends: ["gateway", "files"] };
let api: RawApi;
let gateway: GatewayProcess;

before(async () => {
  api = await RawApi.start(() => ({ body: '{"private":"canary-of-ada"}' }));
  gateway = await startGateway({
    capabilities: { directories: ["capabilities"], builtin: false },
    security: { ssrf_protection: false },
    meta_mcp: { surfaced_tools: [{ server: "gateway", tool: "diary" }] },
    backends: { files: { command: backendCommand() }, vault: { command: backendCommand() } },
    auth: {
      enabled: true,
      api_keys: [
        { name: "ada", key: keys.ada, ...readers },
        { name: "bob", key: keys.bob, ...readers },
        { name: "root", key: keys.root, admin: true },
      ],
    },
  });
  const folder = join(gateway.folder, "capabilities");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, file: object) =>
    writeFileSync(join(folder, `${name}.yaml`), JSON.stringify({ description: `The ${name}`, ...file }));
  write("diary", {
    metadata: { exposure: "personal", identity_owner: { authority: "key", subject: "ada", label: "Ada" } },
    providers: { primary: { config: { base_url: api.origin } } },
  });
  const tool = (server: string, name: string) => ({
    providers: { primary: { service: "mcp", config: { server, tool: name, arguments: { token: "x" } } } },
  });
  write("notes_of_files", tool("files", "notes"));
  write("echo_of_files", tool("files", "echo"));
  write("echo_of_vault", tool("vault", "echo"));
  const client = await open("ada");
  await until(async () => (await client.invoke("gateway", "diary")).body.includes("canary-of-ada"));
});
after(async () => {
  await gateway?.stop();
  await api?.[Symbol.asyncDispose]();
});

const open = (name: keyof typeof keys, path = "/mcp") =>
  HttpClient.open(`${gateway.url}${path}`, { authorization: `Bearer ${keys[name]}` });

test("E10: nobody but its owner finds, lists or calls a personal capability, on any way; an admin neither", async () => {
  const hers = await open("ada");
  assert.match((await hers.request("tools/list")).body, /"diary"/);
  assert.match((await hers.tool("diary")).body, /canary-of-ada/);
  const asked = api.requests.length;
  for (const name of ["bob", "root"] as const) {
    const client = await open(name);
    const atBackend = await open(name, "/mcp/gateway");
    const listings = [
      await client.request("tools/list"),
      await client.tool("gateway_search_tools", { query: "diary" }),
      await client.tool("gateway_list_tools", { server: "gateway" }),
      await client.tool("gateway_search", { query: "*" }),
      await atBackend.request("tools/list"),
    ];
    for (const { body } of listings) assert.doesNotMatch(body, /The diary/, name);
    const calls = [
      await client.invoke("gateway", "diary"),
      await client.invoke("capabilities", "diary"),
      await client.tool("diary"),
      await client.tool("gateway_execute", { tool: "gateway:diary" }),
      await atBackend.tool("diary"),
    ];
    for (const { body } of calls) assert.match(body, /error|isError":true/, body);
  }
  const manage = { authorization: `Bearer ${keys.root}`, "content-type": "application/json" };
  for (const path of ["tools?server=gateway", "backends/gateway", "control-plane"]) {
    const listed = await (await fetch(`${gateway.url}/ui/api/${path}`, { headers: manage })).text();
    assert.match(listed, /echo_of_files/, path);
    assert.doesNotMatch(listed, /diary/, path);
  }
  const body = JSON.stringify({ server: "gateway", tool: "diary" });
  const tried = await fetch(`${gateway.url}/ui/api/tools/call`, { method: "POST", headers: manage, body });
  assert.equal(tried.ok, false);
  assert.equal(api.requests.length, asked, "the API was never asked");
});

test("E10: a capability gives nobody a tool of a backend that he may not use himself", async () => {
  const invoke = async (name: keyof typeof keys, tool: string): Promise<Loose> =>
    (await (await open(name)).invoke("gateway", tool)).message.result;
  assert.equal((await invoke("bob", "notes_of_files")).isError, undefined);
  for (const [tool, target] of [
    ["echo_of_files", 'tool "echo" of server "files"'],
    ["echo_of_vault", 'server "vault"'],
  ] as const) {
    const { isError, content } = await invoke("bob", tool);
    assert.equal(isError, true);
    assert.ok(content[0].text.includes(`Caller "bob" may not use ${target}`), content[0].text);
    assert.equal((await invoke("root", tool)).content[0].text, "x");
  }
});

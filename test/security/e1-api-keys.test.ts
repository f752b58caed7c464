/** API keys: each is let in to what it was given, and cannot tell what else there is. */
import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { openSse } from "../fixtures/raw-sse-client.ts";
import { openRaw, type RawWebSocket } from "../fixtures/raw-web-socket.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post, toolCall } from "./clients.ts";

const keys = {
  /** Two of three backends, without the tools called canary. */
  reader: "key-reader-000000000000",
  /** One tool of one backend. */
  narrow: "key-narrow-000000000000",
  admin: "key-admin-0000000000000",
  limited: "key-limited-00000000000",
  fromEnvironment: "key-environment-0000000",
};
type KeyName = keyof typeof keys;
const as = (name: KeyName) => ({ authorization: `Bearer ${keys[name]}` });

const tool = (name: string, description = `${name} does things`) => ({
  name,
  description,
  inputSchema: { type: "object" },
});
const offers = {
  plain: {
    tools: [tool("read_note"), tool("shared_tool")],
    resources: [{ uri: "note://1", name: "note" }],
    prompts: [{ name: "write_note" }],
  },
  mixed: { tools: [tool("list_things"), tool("drop_things"), tool("canary_drop", "Drops every zebra")] },
  canaryserver: {
    tools: [tool("canary_list", "Lists every zebra"), tool("shared_tool", "Zebra of the same name")],
    resources: [
      { uri: "canary://zebra", name: "zebra" },
      { uri: "note://1", name: "zebra" },
    ],
    resourceTemplates: [{ uriTemplate: "canary://zebra/{id}", name: "zebras" }],
    prompts: [{ name: "canary_prompt" }, { name: "write_note" }],
  },
};
const backends = Object.fromEntries(
  Object.entries(offers).map(([name, offer]) => [
    name,
    { command: backendCommand(`--offer=${JSON.stringify(offer)}`), description: `The ${name} one` },
  ]),
);
const readerRights = { backends: ["plain", "mixed"], denied_tools: ["canary_*", "mixed:drop_*"] };
const config = {
  capabilities: { enabled: false },
  meta_mcp: {
    surfaced_tools: [
      { server: "canaryserver", tool: "canary_list" },
      { server: "mixed", tool: "canary_drop" },
      { server: "mixed", tool: "list_things" },
    ],
  },
  auth: {
    enabled: true,
    bearer_token: "auto",
    api_keys: [
      { key: keys.reader, name: "reader", ...readerRights },
      { key: keys.narrow, name: "narrow", allowed_tools: ["mixed:list_*"], backends: ["*"] },
      { key: keys.admin, name: "admin", admin: true },
      { key: keys.limited, name: "limited", rate_limit: 5 },
      { key: "env:GATEWAY_TEST_KEY", name: "from environment" },
    ],
  },
  backends,
};

let gateway: GatewayProcess;
let url: string;
before(async () => {
  gateway = await startGateway(config, { env: { GATEWAY_TEST_KEY: keys.fromEnvironment } });
  url = `${gateway.url}/mcp`;
  // Everything is known to the gateway, so that nothing is hidden by ignorance.
  const admin = await HttpClient.open(url, as("admin"));
  for (const server of Object.keys(offers)) await admin.tool("gateway_list_tools", { server });
  for (const list of ["resources/list", "resources/templates/list", "prompts/list"]) await admin.request(list);
});
after(() => gateway?.stop());

/** Replaces the configuration in one step and waits until it is in force. */
async function reload(next: object): Promise<void> {
  const reloads = () => gateway.stderr().split("Configuration reloaded").length;
  const before = reloads();
  const { server } = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  writeFileSync(`${gateway.configPath}.new`, JSON.stringify({ ...next, server }));
  renameSync(`${gateway.configPath}.new`, gateway.configPath);
  await until(() => reloads() > before);
}

async function openSocket(key: KeyName): Promise<RawWebSocket> {
  const socket = await openRaw(gateway.port, { headers: as(key) });
  assert.equal(socket.status, 101);
  socket.send(initializeMessage("start"));
  await until(() => socket.messages.length === 1);
  return socket;
}

/** What a caller can ask that names nothing hidden. */
async function everythingOpen(key: KeyName): Promise<string> {
  const client = await HttpClient.open(url, as(key));
  const replies = [
    await post(url, initializeMessage(), as(key)),
    await client.request("tools/list"),
    await client.tool("gateway_list_servers"),
    await client.tool("gateway_list_tools"),
    await client.tool("gateway_list_tools", { server: "mixed" }),
    ...(await Promise.all(
      ["list", "drop every thing", "shared tool", "things", "kanary drop", "xyzzy"].map((query) =>
        client.tool("gateway_search_tools", { query, include_schema: true }),
      ),
    )),
    await client.tool("gateway_search_tools", { query: "drop", server: "mixed" }),
    await client.invoke("mixed", "kanary_drop"),
    await client.invoke("kanaryserver", "list"),
    await client.tool("gateway_invoke", { tool: "kanary_list" }),
    await client.tool("gateway_invoke", { tool: "shared_tool", arguments: {} }),
    await client.tool("kanary_list"),
    await client.request("resources/list"),
    await client.request("resources/templates/list"),
    await client.request("resources/read", { uri: "note://1" }),
    await client.request("prompts/list"),
    await client.request("prompts/get", { name: "kanary_prompt" }),
    await client.request("prompts/get", { name: "write_note" }),
    await client.request("completion/complete", {
      ref: { type: "ref/prompt", name: "write_note" },
      argument: { name: "a", value: "" },
    }),
    await post(`${url}/kanaryserver`, initializeMessage(), as(key)),
  ];
  const onMixed = await HttpClient.open(`${url}/mixed`, as(key));
  replies.push(await onMixed.request("tools/list"), await onMixed.tool("kanary_drop"));
  const health = await fetch(`${gateway.url}/health`, { headers: as(key) });
  return [...replies.map(({ body }) => body), await health.text()].join("\n");
}

test("API key: what is hidden shows up in no list, search, hint, description or status", async () => {
  const seen = await everythingOpen("reader");
  assert.doesNotMatch(seen, /canary|zebra|drop_things/i);
  for (const visible of ["read_note", "list_things", "note://1", "write_note"])
    assert.ok(seen.includes(visible), visible);
  const all = await everythingOpen("admin");
  for (const name of [
    "canaryserver",
    "canary_list",
    "canary_drop",
    "canary://zebra/{id}",
    "canary_prompt",
    "drop_things",
  ])
    assert.ok(all.includes(name), `${name} is not shown to the admin either, so the test proves nothing`);
});

test("API key: what is hidden cannot be told from what does not exist", async () => {
  const client = await HttpClient.open(url, as("reader"));
  const onMixed = await HttpClient.open(`${url}/mixed`, as("reader"));
  type Ask = (name: string) => ReturnType<HttpClient["tool"]>;
  const table: [what: string, existing: string, ask: Ask][] = [
    ["a server, listed", "canaryserver", (server) => client.tool("gateway_list_tools", { server })],
    ["a server, searched", "canaryserver", (server) => client.tool("gateway_search_tools", { query: "x", server })],
    ["a server, called", "canaryserver", (server) => client.invoke(server, "any")],
    ["a server, addressed", "canaryserver", (server) => post(`${url}/${server}`, initializeMessage(), as("reader"))],
    ["a tool, searched", "canary_drop", (query) => client.tool("gateway_search_tools", { query })],
    ["a tool, called", "canary_drop", (name) => client.invoke("mixed", name)],
    ["a tool, called without its server", "canary_list", (tool) => client.tool("gateway_invoke", { tool })],
    ["a tool, called by its own name", "canary_drop", (name) => client.tool(name)],
    ["a tool, called at its address", "canary_drop", (name) => onMixed.tool(name)],
    ["a prompt", "canary_prompt", (name) => client.request("prompts/get", { name })],
    ["a resource", "canary://zebra", (uri) => client.request("resources/read", { uri })],
  ];
  for (const [what, existing, ask] of table) {
    const comparable = async (name: string) =>
      (await ask(name)).body.replaceAll(name, "NAME").replaceAll(/"request_id":"[^"]*"|"id":\d+|Request id: \S+/g, "");
    // Of the same length, and refused by the same rules.
    const unknown = existing.slice(0, 7) + "x".repeat(existing.length - 7);
    assert.equal(await comparable(existing), await comparable(unknown), what);
  }
});

test("API key: allowed tools run, everything else is refused before the backend hears of it", async () => {
  const outcome = async (key: KeyName, server: string, name: string) => {
    const viaMeta = await (await HttpClient.open(url, as(key))).invoke(server, name);
    const opened = await post(`${url}/${server}`, initializeMessage(), as(key));
    if (opened.status !== 200) return [viaMeta.message.result.isError === true, "no such address"];
    const direct = await (await HttpClient.open(`${url}/${server}`, as(key))).tool(name);
    return [viaMeta.message.result.isError === true, direct.message.result.isError === true];
  };
  const table: [key: KeyName, server: string, tool: string, refused: boolean | "no such address"][] = [
    ["reader", "plain", "read_note", false],
    ["reader", "mixed", "list_things", false],
    ["reader", "mixed", "drop_things", true],
    ["reader", "mixed", "canary_drop", true],
    ["reader", "canaryserver", "canary_list", "no such address"],
    ["narrow", "mixed", "list_things", false],
    ["narrow", "mixed", "drop_things", true],
    ["narrow", "plain", "read_note", true],
    ["narrow", "canaryserver", "canary_list", true],
    ["admin", "canaryserver", "canary_list", false],
    ["fromEnvironment", "canaryserver", "canary_list", false],
  ];
  for (const [key, server, name, refused] of table)
    assert.deepEqual(await outcome(key, server, name), [refused !== false, refused], `${key} ${server}:${name}`);
});

test("API key: comes as bearer or as X-API-Key, never in the address; a wrong one wins over no one", async () => {
  const status = async (headers: Record<string, string>, query = "") =>
    (await post(url + query, initializeMessage(), headers)).status;
  assert.equal(await status({ "x-api-key": keys.reader }), 200);
  assert.equal(await status({ authorization: `bEARER  ${keys.reader}` }), 200);
  assert.equal(await status({ authorization: `Basic ${btoa(`x:${keys.reader}`)}` }), 401);
  assert.equal(await status({ authorization: keys.reader }), 401);
  assert.equal(await status({}, `?key=${keys.reader}&api_key=${keys.reader}`), 401);
  assert.equal(await status({ authorization: "Bearer wrong", "x-api-key": keys.reader }), 401);
  assert.equal(await status({ "x-api-key": `${keys.reader},${keys.reader}` }), 401);
  assert.equal(await status({ "x-api-key": "env:GATEWAY_TEST_KEY" }), 401);
  assert.equal(await status({ authorization: "Bearer auto" }), 401);
});

test("API key: health shows a key its backends, who has none a count, and faults of the file only to an admin", async () => {
  const health = async (headers: Record<string, string>) =>
    (await fetch(`${gateway.url}/health`, { headers })).json() as Promise<Record<string, object>>;
  assert.deepEqual(Object.keys((await health(as("reader")))["backends"] ?? {}), ["plain", "mixed"]);
  assert.deepEqual(Object.keys((await health(as("admin")))["backends"] ?? {}), Object.keys(offers));
  assert.deepEqual((await health({}))["backends"], { count: 3, all_healthy: true });

  const good = readFileSync(gateway.configPath, "utf8");
  writeFileSync(gateway.configPath, '{"backends": {"canaryserver": {"comand": ["x"]}}}');
  await until(() => gateway.stderr().includes("cannot be used"));
  assert.match(JSON.stringify(await health(as("admin"))), /config_error.*canaryserver/);
  assert.doesNotMatch(JSON.stringify(await health(as("reader"))), /canary/);
  assert.doesNotMatch(JSON.stringify(await health({})), /canary|config_error/);
  writeFileSync(gateway.configPath, good);
  await until(() => gateway.stderr().includes("Configuration reloaded"));
});

test("API key: its own rate limit answers 429 with Retry-After, and is nobody else's", async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 8; count++) {
    const headers = count % 2 ? as("limited") : { "x-api-key": keys.limited };
    const reply = await post(url, initializeMessage(), headers);
    statuses.push(reply.status);
    if (reply.status === 429) {
      const seconds = Number(reply.headers.get("retry-after"));
      assert.ok(seconds >= 1 && seconds <= 60, `Retry-After is ${seconds}`);
    }
  }
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
  assert.equal((await post(url, initializeMessage(), as("reader"))).status, 200);
});

test("bearer_token auto: one token, shown once on stderr, with all rights", async () => {
  await gateway.logged(/^Bearer token of this run: .*\n/m);
  const shown = [...gateway.stderr().matchAll(/^Bearer token of this run: (mcp_\S{43})$/gm)];
  assert.equal(shown.length, 1, gateway.stderr());
  const token = shown[0]?.[1] as string;
  assert.equal(gateway.stderr().split(token).length, 2);
  const { message } = await (await HttpClient.open(url, { authorization: `Bearer ${token}` })).invoke(
    "canaryserver",
    "canary_list",
  );
  assert.equal(message.result.isError, undefined);
});

test("API key: removed, it stops working at once, and so do its sessions, streams and calls; others go on", async () => {
  const removed = await HttpClient.open(`${url}/plain`, as("reader"));
  const kept = await HttpClient.open(`${url}/plain`, as("admin"));
  const openStream = async (client: HttpClient) => {
    const answered = await fetch(client.url, { headers: { ...client.headers, accept: "text/event-stream" } });
    assert.equal(answered.status, 200);
    return answered;
  };
  const [endedStream, keptStream] = [await openStream(removed), await openStream(kept)];
  let keptEnded = false;
  void keptStream.text().then(
    () => {
      keptEnded = true;
    },
    () => {},
  );
  const running = removed.tool("hang").then(({ status }) => status);
  const socket = await openSocket("reader");
  const events = await openSse(gateway.port, "/sse", as("reader"));
  assert.equal((await events.post(initializeMessage("start"))).status, 202);
  await until(() => events.messages.length === 1);
  const { auth } = config;
  await reload({ ...config, auth: { ...auth, api_keys: auth.api_keys.filter(({ name }) => name !== "reader") } });

  assert.equal((await removed.request("ping")).status, 401);
  const within = (work: Promise<unknown>) =>
    Promise.race([work, new Promise((resolve) => setTimeout(resolve, 3_000, "goes on"))]);
  assert.notEqual(await within(endedStream.text()), "goes on", "the stream of a removed key");
  assert.equal(await within(running), 202, "a call of a removed key");
  await until(() => socket.close() !== undefined);
  assert.deepEqual(socket.close(), { code: 1008, reason: "The session was ended" });
  assert.equal((await events.post(initializeMessage())).status, 401);
  assert.equal(keptEnded, false);
  assert.equal((await kept.request("ping")).status, 200);

  await reload({ ...config, auth: { ...auth, api_keys: [{ key: keys.reader, name: "reader", backends: ["mixed"] }] } });
  assert.equal((await removed.request("ping")).status, 404, "a session has outlived its key");
  const narrowed = await HttpClient.open(url, as("reader"));
  assert.equal((await narrowed.invoke("plain", "read_note")).message.result.isError, true);
  assert.equal((await narrowed.invoke("mixed", "drop_things")).message.result.isError, undefined);
});

test("API key: what it may do over an open WebSocket is what it may do now", async () => {
  const { auth } = config;
  const reader = (backends: string[]) => ({
    ...config,
    auth: { ...auth, api_keys: [{ key: keys.reader, name: "reader", backends }] },
  });
  await reload(reader(["mixed", "canaryserver"]));
  const socket = await openSocket("reader");
  const isRefused = async (id: number, server: string, name: string) => {
    socket.send(toolCall(id, "gateway_invoke", { server, tool: name }));
    await until(() => socket.messages.some((message) => message.id === id));
    const answer = socket.messages.find((message) => message.id === id) as Loose;
    return answer.result.isError === true;
  };
  assert.deepEqual(
    [await isRefused(1, "plain", "read_note"), await isRefused(2, "mixed", "drop_things")],
    [true, false],
  );
  await reload(reader(["plain"]));
  assert.deepEqual(
    [await isRefused(3, "plain", "read_note"), await isRefused(4, "mixed", "drop_things")],
    [false, true],
  );
  socket.socket.destroy();
});

test("API key: without the meta-tools, what is hidden is hidden as well", async () => {
  await reload({ ...config, meta_mcp: { enabled: false } });
  const client = await HttpClient.open(url, as("reader"));
  const { body, message } = await client.request("tools/list");
  assert.doesNotMatch(body, /canary|zebra|drop_things/i);
  assert.deepEqual(message.result.tools.map(({ name }: { name: string }) => name).sort(), [
    "list_things",
    "read_note",
    "shared_tool",
  ]);
  for (const name of ["canary_list", "canary_drop", "drop_things", "mixed_drop_things", "canaryserver_shared_tool"])
    assert.ok((await client.tool(name)).message.error, name);
  assert.equal((await client.tool("list_things")).message.result.isError, undefined);
});

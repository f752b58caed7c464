/** APIs and programs as tools, through the public door of the executable. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RawApi } from "../capabilities/raw-api.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { binaryPath, environmentIn, type GatewayProcess, startGateway } from "./harness.ts";
import { type Peer, peers } from "./peers.ts";

const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 255]);
let api: RawApi;
let gateway: GatewayProcess;
let peer: Peer;

const capability = (provider: object, more: object = {}) =>
  JSON.stringify({ description: "Made for this test alone", providers: { primary: provider }, ...more });

function write(name: string, text: string): void {
  const path = join(gateway.folder, "capabilities", name);
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

async function invoke(tool: string, args: object = {}) {
  const result = await peer.callTool("gateway_invoke", { server: "capabilities", tool, arguments: args });
  return { ...result, text: result.content[0]?.text ?? "" };
}

async function search(query: string) {
  const { content } = await peer.callTool("gateway_search_tools", { query });
  const { matches } = JSON.parse(content[0]?.text ?? "") as {
    matches: { server: string; tool: string; unavailable?: string }[];
  };
  return matches;
}

before(async () => {
  api = await RawApi.start(({ line, headers }) => {
    if (line.includes("/picture")) return { body: png, headers: { "content-type": "image/png" } };
    if (line.includes("/echo")) return { status: 418, body: `I saw ${headers.get("authorization")} in ${line}` };
    if (line.includes("/graphql")) return { body: '{"data":{"ok":true}}' };
    return { body: JSON.stringify({ path: line.split(" ")[1] }) };
  });
  gateway = await startGateway(
    { capabilities: { directories: ["capabilities"] }, security: { ssrf_protection: false } },
    { env: { TOKEN: "k3y-canary-of-the-test" } },
  );
  mkdirSync(join(gateway.folder, "capabilities"), { recursive: true });
  peer = await (peers["SDK client v1"] as (target: object) => Promise<Peer>)({ url: `${gateway.url}/mcp` });
});

after(async () => {
  await peer.close();
  await gateway.stop();
  await api[Symbol.asyncDispose]();
});

test("a built-in tool is found by what it does, one without its key says what it needs", async () => {
  const forecast = (await search("weather forecast for tomorrow"))[0];
  assert.deepEqual(
    [forecast?.server, forecast?.tool, forecast?.unavailable],
    ["gateway", "weather_forecast", undefined],
  );
  const slack = (await search("post a message to slack")).find(({ tool }) => tool === "slack_post_message");
  assert.equal(slack?.unavailable, "needs SLACK_BOT_TOKEN");
  const { isError, text } = await invoke("slack_post_message", { channel: "C", text: "hi" });
  assert.deepEqual(
    [isError, text.split("\n")[0]],
    [true, 'The key for this API is missing: the environment variable "SLACK_BOT_TOKEN" is not set'],
  );
});

test("a file that appears is a tool, a change is live, a half-written one changes nothing", async () => {
  write("fresh.yaml", capability({ config: { base_url: api.origin, path: "/v1" } }));
  await eventually(async () => (await invoke("fresh")).text.includes("/v1"));
  write("fresh.yaml", capability({ config: { base_url: api.origin, path: "/v2" } }));
  await eventually(async () => (await invoke("fresh")).text.includes("/v2"));
  write("fresh.yaml", capability({ config: { base_url: api.origin, path: "/v3" } }).slice(0, 60));
  await until(() => /fresh\.yaml:1:\d+ .*its previous version stays in use/.test(gateway.stderr()));
  assert.match((await invoke("fresh")).text, /\/v2/);
});

test("GraphQL, pictures and keys: as the API sent them, but for the key", async () => {
  write(
    "graph.yaml",
    capability({
      service: "graphql",
      config: { base_url: api.origin, path: "/graphql", query: "{ ok }", response_path: "data" },
    }),
  );
  write("picture.yaml", capability({ config: { base_url: api.origin, path: "/picture" } }));
  write(
    "echo.yaml",
    capability({ config: { base_url: api.origin, path: "/echo" } }, { auth: { type: "bearer", key: "env:TOKEN" } }),
  );
  for (const name of ["graph", "picture", "echo"])
    await eventually(async () => !(await invoke(name)).text.startsWith("TOOL_NOT_FOUND"));
  assert.deepEqual(JSON.parse((await invoke("graph")).text), { ok: true });
  const picture = (await invoke("picture")).content[0] as { type: string; data?: string; mimeType?: string };
  assert.deepEqual(picture, { type: "image", data: Buffer.from(png).toString("base64"), mimeType: "image/png" });
  const { isError, text } = await invoke("echo");
  assert.equal(isError, true);
  assert.match(text, /^The API answered HTTP 418\nI saw Bearer \[redacted\] in GET \/echo/);
  assert.doesNotMatch(text + gateway.stderr(), /k3y-canary/);
});

test("T12: a program is run with its arguments alone, and ends with the call that is cancelled", async () => {
  const [command, ...script] = scriptArgv("cli-tool.mjs");
  const pids = join(gateway.folder, "pids");
  const schema = { input: { properties: { text: { type: "string" } } } };
  write(
    "show.yaml",
    capability({ service: "cli", config: { command, args: [...script, "show", "--", "{text}"] } }, { schema }),
  );
  write("hang.yaml", capability({ service: "cli", timeout: 2, config: { command, args: [...script, "hang", pids] } }));
  await eventually(async () => (await invoke("show", { text: "x" })).isError !== true);
  const shown = JSON.parse((await invoke("show", { text: "$(touch made); -x" })).text);
  assert.deepEqual(shown.args, ["--", "$(touch made); -x"]);
  assert.equal(shown.env.TOKEN, undefined);
  assert.equal(existsSync(join(gateway.folder, "made")), false);
  const { isError } = await invoke("hang");
  assert.equal(isError, true);
  const started = JSON.parse(readFileSync(pids, "utf8")) as number[];
  await until(() => !started.some(isAlive));
});

test("tool invoke, cap validate and cap lint: the same tools without a server", async () => {
  const folder = gateway.folder;
  const run = (...args: string[]) =>
    spawnSync(binaryPath, args, { cwd: folder, env: environmentIn(folder), encoding: "utf8", input: "" });
  write("plain.yaml", capability({ config: { base_url: "http://127.0.0.1:1", path: "/x" } }));
  assert.match(run("cap", "validate", "capabilities/plain.yaml").stdout, /^✅ plain - valid\n/);
  const { status, stderr } = run("tool", "invoke", "plain");
  assert.equal(status, 1);
  assert.match(stderr, /Cannot reach "127\.0\.0\.1:1": /);
  assert.equal(
    run("tool", "list", "-f", "plain")
      .stdout.split("\n")
      .filter((name) => name === "weather_forecast").length,
    1,
  );
  assert.equal(JSON.parse(run("cap", "lint", "capabilities", "-f", "sarif").stdout).version, "2.1.0");
});

/** Waits for what the watcher of another process does. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`It did not come true: ${holds}\n${gateway.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

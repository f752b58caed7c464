/**
 * T13: secrets of the operator stay inside. A run with a canary in every slot that holds one, failures of every kind and
 * the most talkative log; then everything that left the gateway is searched for each canary, whole or in part.
 *
 * Where the line is: what a backend returns as the result of a call is the caller's data and relayed as it is (looking
 * into results is the response firewall's work). Everything the gateway says itself, or quotes from a backend in a log
 * line, an error, a status or a file of its own, is searched; errors of a backend's own making count as quoted.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binaryPath, environmentIn, freePort, type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { type RawServer, rawServer, status } from "../fixtures/raw-http-server.ts";
import { result } from "../fixtures/raw-mcp-server.ts";
import { backendCommand, HttpClient, initializeMessage, post, StdioClient } from "./clients.ts";

/** Slot → secret. Each half is long enough to be found alone. Marks make its URL-encoded and escaped forms differ. */
const canaries = new Map<string, string>();
function canary(slot: string, mark = "+/="): string {
  const random = () => `9k${crypto.randomUUID().replaceAll("-", "").slice(0, 14)}`;
  const secret = `${random()}Q${mark}Z${random()}`;
  canaries.set(slot, secret);
  return secret;
}

const reference = (name: string) => `\${${name}}`;

const bearer = canary("bearer token");
const adminKey = canary("API key");
const keyInVariable = canary("API key by env:");
const variables = {
  GATEWAY_KEY: keyInVariable,
  TOKEN_OF_PIPED: canary("variable in env"),
  ARGUMENT_OF_PIPED: canary("variable in args"),
  HEADER_OF_POSTED: canary("variable in a header"),
  PATH_OF_POSTED: canary("variable in a URL", "-"),
  CAP_API_KEY: canary("key of a capability"),
  CAP_HEADER_SECRET: canary("{env.X} of a capability"),
  CAP_QUERY_TOKEN: canary("query key of a capability"),
};
const user = canary("user of a URL", "-");
const password = canary("password of a URL");
const urlToken = canary("token in a URL", "-");
const pathToken = canary("path of a URL", "-");
const headerToken = canary("Authorization header");
const otherHeader = canary("header of another name");
const envSecret = canary("env of a backend", '"\\');
const envPlain = canary("env of a backend by a harmless name", "-");
const argument = canary("argument of a program", "-");
const flag = canary("value of a flag");
const toolArgument = canary("argument of a tool");
const wrongToken = canary("wrong token of a client", "-");

/** What an HTTP backend says back: everything it was sent, so that the secrets come at any place of a quote. */
function echoServer(): Promise<RawServer> {
  return rawServer((socket, request) => {
    const isApi = request.path.startsWith("/api");
    if (!isApi && request.method !== "POST") return void socket.write(status(405, request.head));
    const { id, method, params } = JSON.parse(request.body || "{}");
    const send = (code: number, type: string, body: string, more = "") =>
      socket.write(
        `HTTP/1.1 ${code} X\r\nContent-Type: ${type}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    const json = (value: unknown) => send(200, "application/json", result(id, value));
    if (isApi)
      return void send(request.path.includes("ok") ? 200 : 500, "application/json", `"${request.path} ${request.head}`);
    if (id === undefined) return void socket.write(status(202));
    if (method === "initialize")
      return void json({
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "echo", version: "1" },
      });
    if (method === "tools/list") return void json({ tools: [{ name: "status", inputSchema: { type: "object" } }] });
    if (method !== "tools/call") return void json({});
    const { code, type, pad } = params.arguments;
    const echoed = `${"x".repeat(pad)} ${headerToken} ${request.head.replace(/^.*\r\n/, "").replaceAll("\r\n", " ")}`;
    if (code === 302)
      return void send(302, "text/plain", "", `Location: http://127.0.0.1:9/${urlToken}?token=${headerToken}\r\n`);
    if (code === 0) {
      const error = { code: -32_000, message: echoed, data: { head: request.head, list: [headerToken] } };
      return void send(200, "application/json", JSON.stringify({ jsonrpc: "2.0", id, error }));
    }
    send(code, type, echoed);
  });
}

const capabilityFile = (port: number) => `
name: api
description: Says back what it was sent
schema:
  input: { type: object, properties: { place: { type: string } } }
providers:
  primary:
    service: rest
    config:
      base_url: "http://127.0.0.1:${port}"
      path: "/api/{place}"
      headers: { X-Other: "{env.CAP_HEADER_SECRET}" }
      params: { token: "{env.CAP_QUERY_TOKEN}" }
auth: { required: true, type: bearer, key: "env:CAP_API_KEY" }
`;

let echo: RawServer;
let unreachable = 0;
const capabilities = mkdtempSync(join(tmpdir(), "mcp-gateway-capabilities-"));

const configured = () => ({
  security: { ssrf_protection: false },
  capabilities: { directories: [capabilities], builtin: false },
  auth: {
    enabled: true,
    bearer_token: bearer,
    api_keys: [
      { key: adminKey, name: "admin", admin: true },
      { key: "env:GATEWAY_KEY", name: "variable" },
    ],
  },
  failsafe: { circuit_breaker: { failure_threshold: 1_000 }, retry: { enabled: false } },
  backends: {
    piped: {
      command: [...backendCommand(), `--api-key=${flag}`, "--token", flag, argument, reference("ARGUMENT_OF_PIPED")],
      env: { SERVICE_TOKEN: envSecret, TENANT: envPlain, OTHER_TOKEN: reference("TOKEN_OF_PIPED") },
    },
    posted: {
      http_url: `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${echo.port}/mcp/${pathToken}?api_key=${urlToken}&x=\${PATH_OF_POSTED}`,
      headers: { "X-Custom": otherHeader, "X-Variable": reference("HEADER_OF_POSTED") },
    },
    bearing: { http_url: `http://127.0.0.1:${echo.port}/mcp`, headers: { Authorization: `Bearer ${headerToken}` } },
    unreachable: {
      http_url: `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${unreachable}/mcp/${pathToken}?api_key=${urlToken}`,
    },
    failing: {
      command: ["sh", "-c", 'env >&2; echo "$0 $@" >&2; exit 3', argument, `--api-key=${flag}`],
      env: { SERVICE_TOKEN: envSecret, TENANT: envPlain },
    },
    missing: { command: ["no-such-program-anywhere", `--api-key=${flag}`, argument] },
    elsewhere: { command: [...backendCommand(), argument], cwd: "/no/such/folder", env: { SERVICE_TOKEN: envSecret } },
  },
});

const encodings: ((secret: string) => string)[] = [
  (secret) => secret,
  encodeURIComponent,
  (secret) => JSON.stringify(secret).slice(1, -1),
  (secret) => Buffer.from(secret).toString("base64"),
  (secret) => Buffer.from(secret).toString("base64url"),
  // As the second part of "user:password", in each alignment; the ends depend on what is beside it.
  ...[1, 2].map(
    (skip) => (secret: string) =>
      Buffer.from(" ".repeat(skip) + secret)
        .toString("base64")
        .slice(4, -4),
  ),
  (secret) => Buffer.from(secret).toString("hex"),
];

/** Every canary in the text, whole in any form or half. What a caller sent may be said back to that caller. */
function found(text: string, toItsCaller = false): string[] {
  const hits: string[] = [];
  for (const [slot, secret] of canaries) {
    if (toItsCaller && secret === toolArgument) continue;
    const needles = [...encodings.map((encode) => encode(secret)), secret.slice(0, 10), secret.slice(-10)];
    for (const needle of new Set(needles)) {
      const at = text.indexOf(needle);
      if (at >= 0) hits.push(`${slot} at: ${text.slice(Math.max(0, at - 120), at + 60)}`);
    }
  }
  return hits;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** Errors, results of the gateway's own and statuses of one long unhappy run. */
async function unhappyRun(gateway: GatewayProcess): Promise<string[]> {
  const url = `${gateway.url}/mcp`;
  const said: string[] = [];
  const authorization = { authorization: `Bearer ${bearer}` };
  const client = await HttpClient.open(url, authorization);
  const hear = async (asked: Promise<{ body: string }>) => void said.push((await asked).body);
  /** A call that fails: its result is the gateway's. */
  const fails = async (asked: ReturnType<HttpClient["tool"]>, what: string) => {
    const { message, body } = await asked;
    assert.ok(message?.error || message?.result?.isError, `${what} did not fail: ${body.slice(0, 300)}`);
    said.push(body);
  };
  for (const server of Object.keys(configured().backends)) await hear(client.tool("gateway_list_tools", { server }));
  await hear(client.tool("gateway_list_servers"));
  await hear(client.tool("gateway_search_tools", { query: "status" }));

  // stderr of a backend, then its end.
  await client.invoke("piped", "complain");
  await fails(client.invoke("piped", "refuse"), "an error of the backend");
  await fails(
    (await HttpClient.open(`${url}/piped`, authorization)).tool("refuse"),
    "an error of the backend, relayed",
  );
  await fails(client.invoke("piped", "die", { secret: toolArgument }), "a call during which the backend ended");
  await fails(
    (await HttpClient.open(`${url}/bearing`, authorization)).tool("status", { code: 0, pad: 0 }),
    "an error by HTTP, relayed",
  );

  // The secret lies before, across and behind the end of what is quoted.
  for (const server of ["posted", "bearing"])
    for (const [code, type] of [
      [500, "text/plain"],
      [401, "application/json"],
      [200, "text/html"],
      [200, "application/json"],
      [302, "text/plain"],
      [0, ""],
    ])
      for (const pad of [0, 150, 180, 186, 192, 199, 300])
        await fails(client.invoke(server, "status", { code, type, pad }), `${server} with ${code} ${type}`);
  for (const server of ["unreachable", "failing", "missing", "elsewhere"]) {
    await fails(client.invoke(server, "any", { secret: toolArgument }), server);
    await fails(client.invoke(server, "any", { secret: toolArgument }), `${server} again`);
    await hear(post(`${url}/${server}`, initializeMessage(), authorization));
  }
  for (const place of ["fails", "ok"]) await fails(client.invoke("gateway", "api", { place }), `the API ${place}`);

  // Arguments, and what is wrong with them.
  await fails(client.invoke("piped", "echo", [toolArgument]), "arguments that are a list");
  await fails(
    client.tool("gateway_invoke", { server: "piped", tool: "echo", arguments: `{"a": ${toolArgument}` }),
    "broken arguments",
  );
  await fails(
    client.tool("gateway_invoke", { server: "piped", tool: "echo", [toolArgument]: 1, arguments: 5 }),
    "a number for arguments",
  );
  await fails(client.invoke("gateway", "api", { place: { a: toolArgument } }), "an argument of the wrong kind");
  await hear(client.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":"${toolArgument}"`));
  await hear(client.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"${toolArgument}"}`));
  await hear(post(url, initializeMessage(), { authorization: `Bearer ${wrongToken}` }));
  await hear(post(url, initializeMessage(), { "x-api-key": wrongToken }));
  await hear(post(`${url}?token=${wrongToken}`, initializeMessage(), { authorization: wrongToken }));

  // Files that cannot be used, with a secret where the fault is.
  const good = readFileSync(gateway.configPath, "utf8");
  const health = async (headers: Record<string, string>) => (await fetch(`${gateway.url}/health`, { headers })).text();
  const { server, ...rest } = JSON.parse(good);
  const broken = [
    `auth:\n  enabled: true\n  bearer_token: "${bearer}\nbackends: {}\n`,
    `auth:\n  bearer_token: ${bearer}: ${bearer}\n`,
    `auth:\n  bearer_token: [${JSON.stringify(bearer)}]\n`,
    JSON.stringify({ auth: bearer }),
    JSON.stringify({ auth: { api_keys: [adminKey] } }),
    JSON.stringify({ auth: { api_keys: { key: adminKey } } }),
    JSON.stringify({ auth: { api_keys: [{ key: { value: adminKey } }] } }),
    JSON.stringify({ server: { port: bearer } }),
    JSON.stringify({ backends: { piped: { ...rest.backends.piped, env: envSecret } } }),
    JSON.stringify({ backends: { piped: { ...rest.backends.piped, env: { SERVICE_TOKEN: { value: envSecret } } } } }),
    JSON.stringify({
      backends: { bearing: { ...rest.backends.bearing, headers: `Authorization: Bearer ${headerToken}` } },
    }),
    JSON.stringify({ backends: { posted: { http_url: 5, headers: { Authorization: ["Bearer", headerToken] } } } }),
    JSON.stringify({
      backends: { posted: { http_url: rest.backends.posted.http_url.replace("http://", "gopher://") } },
    }),
    JSON.stringify({
      backends: { posted: { http_url: rest.backends.posted.http_url.replace(/127.0.0.1:\d+/, "no host") } },
    }),
    JSON.stringify({ backends: { piped: { command: `${backendCommand().join(" ")} --token "${flag}` } } }),
  ];
  const other = join(gateway.folder, "other.yaml");
  for (const text of broken) {
    writeFileSync(other, text);
    for (const args of [
      ["validate", other],
      ["serve", "--config", other],
    ]) {
      const { code, output } = await cli(gateway.folder, ...args);
      assert.equal(code, 1, `${text} was taken: ${output}`);
      said.push(output);
    }
  }
  rmSync(other);
  for (const text of [broken[0], broken[3], broken[7]]) {
    const refused = () => gateway.stderr().split("cannot be used").length;
    const before = refused();
    writeFileSync(`${gateway.configPath}.new`, text as string);
    renameSync(`${gateway.configPath}.new`, gateway.configPath);
    await until(() => refused() > before);
    said.push(await health(authorization));
  }
  writeFileSync(gateway.configPath, good);
  await until(() => gateway.stderr().includes("Configuration reloaded"));
  said.push(await health(authorization), await health({}), await health({ "x-api-key": keyInVariable }));
  // What operators are shown, also while the last file could not be used.
  const shown = [
    "status",
    "config",
    "calls",
    "stats",
    "tools",
    ...Object.keys(configured().backends).map((name) => `backends/${name}`),
  ];
  for (const path of ["/metrics", "/dashboard", "/api/v1/connections", ...shown.map((name) => `/ui/api/${name}`)]) {
    const response = await fetch(`${gateway.url}${path}`, { headers: authorization });
    assert.equal(response.status, 200, path);
    said.push(await response.text());
  }
  for (const args of [
    ["list", "--json"],
    ["get", "piped"],
    ["get", "posted"],
    ["get", "bearing"],
    ["get", "unreachable"],
  ])
    said.push((await cli(gateway.folder, ...args, "--config", gateway.configPath)).output);
  canaries.set("session id", client.sessionId);
  return said;
}

function cli(cwd: string, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(binaryPath, args, { cwd, env: environmentIn(cwd), timeout: 5_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: `${args.join(" ")}: ${stdout}${stderr}` }),
    );
  });
}

before(async () => {
  echo = await echoServer();
  unreachable = await freePort();
  writeFileSync(join(capabilities, "api.yaml"), capabilityFile(echo.port));
});
after(async () => {
  await echo?.close();
  rmSync(capabilities, { recursive: true, force: true });
});

for (const format of ["text", "json"]) {
  test(`T13: no secret leaves in ${format} logs, errors, health or files`, async () => {
    const gateway = await startGateway(configured(), {
      command: ["sh", "-c", 'exec "$0" "$@" > stdout.txt', binaryPath],
      args: ["--log-level", "trace", "--log-format", format],
      env: variables,
    });
    try {
      const said = await unhappyRun(gateway);
      // The configuration is the test's own file; it was read, not written.
      const isOwn = (path: string) => path === gateway.configPath;
      const files = filesBelow(gateway.folder).filter((path) => !isOwn(path));
      assert.ok(
        files.some((path) => path.includes("state")),
        "the gateway has written no state",
      );
      const leaks = [
        ...said.flatMap((text) => found(text, true).map((hit) => `said: ${hit}`)),
        ...files.flatMap((path) => found(readFileSync(path, "utf8")).map((hit) => `${path}: ${hit}`)),
        ...found(gateway.stderr()).map((hit) => `log: ${hit}`),
      ];
      assert.deepEqual([...new Set(leaks)].slice(0, 20), [], `${leaks.length} leaks`);
      assert.match(
        gateway.stderr(),
        /\[redacted\]/,
        "nothing secret ever came near the log, so the test proves little",
      );
      await gateway.logged(/stream=stderr|"stream":"stderr"/);
    } finally {
      await gateway.stop();
    }
  });
}

test("T13: no secret leaves at the stdio door", async () => {
  const { folder, configPath } = writeConfig({ ...configured(), auth: {} });
  const client = new StdioClient(configPath, folder, "--log-level", "trace");
  try {
    await client.ask(initializeMessage(0), 0);
    const call = (id: number, server: string, tool: string, args: object) => {
      const params = { name: "gateway_invoke", arguments: { server, tool, arguments: args } };
      return client.ask({ jsonrpc: "2.0", id, method: "tools/call", params }, id);
    };
    await call(1, "piped", "refuse", {});
    await call(2, "piped", "die", { secret: toolArgument });
    await call(3, "failing", "any", {});
    await call(4, "bearing", "status", { code: 500, type: "text/plain", pad: 190 });
    await call(5, "unreachable", "any", {});
    await client.ask(`{"broken": "${toolArgument}`, null);
  } finally {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  assert.deepEqual([...found(client.stdout, true), ...found(client.stderr)].slice(0, 12), []);
});

test("T13: the token of `auto` is shown once and then kept", async () => {
  const gateway = await startGateway(
    {
      capabilities: { enabled: false },
      auth: { enabled: true, bearer_token: "auto" },
      backends: { piped: { command: backendCommand() } },
    },
    { args: ["--log-level", "trace"] },
  );
  try {
    await gateway.logged(/^Bearer token of this run: .*\n/m);
    const token = /^Bearer token of this run: (\S+)$/m.exec(gateway.stderr())?.[1] as string;
    const client = await HttpClient.open(`${gateway.url}/mcp`, { authorization: `Bearer ${token}` });
    // A backend that got hold of it and says it: in an error, and on stderr as the name of a tool call does.
    const { body } = await client.invoke("piped", "refuse", { message: `your token is ${token}` });
    writeFileSync(gateway.configPath, `auth: { bearer_token: [${token}] }`);
    await until(() => gateway.stderr().includes("cannot be used"));
    assert.equal(gateway.stderr().split(token).length, 2);
    assert.ok(!body.includes(token), body);
    for (const path of filesBelow(join(gateway.folder, "state")))
      assert.ok(!readFileSync(path, "utf8").includes(token), path);
  } finally {
    await gateway.stop();
  }
});

/** Replicas behind one name, on the executable: real programs and sockets that come and go. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Client, httpClient } from "../faults/client.ts";
import { eventually, rawBackend, unlimited, withGateway } from "../faults/gateway.ts";
import { isAlive } from "../fixtures/processes.ts";
import { json, type RawServer } from "../fixtures/raw-http-server.ts";
import { rawMcpServer, result } from "../fixtures/raw-mcp-server.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { unixHttpServer, unixLineServer, webSocketServer } from "../fixtures/socket-servers.ts";
import { binaryPath, environmentIn, type GatewayProcess, root } from "./harness.ts";

interface ReplicaView {
  readonly id: string;
  readonly transport: string;
  readonly address: string;
  readonly state: string;
  readonly in_rotation: boolean;
  readonly request_count: number;
  readonly failure_count: number;
  readonly pid: number | null;
  readonly last_error: string | null;
}

async function replicas(gateway: GatewayProcess, name = "search"): Promise<ReplicaView[]> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1/upstreams/${name}/status`);
  return ((await response.json()) as { replicas: ReplicaView[] }).replicas;
}

const allReady = (views: readonly ReplicaView[]) => views.every(({ state }) => state === "ready");

async function started(gateway: GatewayProcess, client: Client): Promise<ReplicaView[]> {
  await client.call("pid");
  return eventually(() => replicas(gateway), allReady);
}

async function answers(client: Client, times: number, tool = "pid"): Promise<string[]> {
  const texts: string[] = [];
  for (let count = 0; count < times; count++) {
    const { text, failed } = await client.call(tool);
    assert.equal(failed, false, text);
    texts.push(text);
  }
  return texts;
}

function counted(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

function run(gateway: GatewayProcess, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(binaryPath, [...args, "--config", gateway.configPath], {
    env: environmentIn(gateway.folder),
    cwd: gateway.folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

/** Writes the configuration anew; resolves when it is in force. */
async function reload(gateway: GatewayProcess, change: (backend: { [key: string]: unknown }) => void): Promise<void> {
  const config = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  change(config.backends.search);
  const before = gateway.stderr().split("Configuration reloaded").length;
  writeFileSync(gateway.configPath, JSON.stringify(config));
  await eventually(
    () => gateway.stderr().split("Configuration reloaded").length,
    (now) => now > before,
  );
}

/** A server that says who it is, until it is closed. */
function named(name: string, port = 0): Promise<RawServer> {
  return rawMcpServer(
    {
      onMessage(socket, { id, method }) {
        if (id === undefined) return false;
        const value =
          method === "tools/list"
            ? { tools: [{ name: "pid", inputSchema: { type: "object" } }] }
            : { content: [{ type: "text", text: name }] };
        socket.write(json(result(id, value)));
        return true;
      },
    },
    port,
  );
}

const quick = { health_check: { interval: "200ms", timeout: "1s" } };

test("programs behind one name take turns, and one that is killed costs nobody an answer", async () => {
  const search = { replicas: [rawBackend(), rawBackend(), { id: "third", ...rawBackend() }] };
  await withGateway({ failsafe: { ...unlimited, ...quick }, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    const views = await started(gateway, client);
    const pids = views.map(({ pid }) => String(pid));
    assert.equal(new Set(pids).size, 3);
    assert.equal(views[2]?.id, "third");
    const before = counted(await answers(client, 30));
    assert.deepEqual(Object.keys(before).sort(), [...pids].sort());
    for (const count of Object.values(before)) assert.ok(count >= 9 && count <= 11, JSON.stringify(before));
    process.kill(Number(pids[1]), "SIGKILL");
    await eventually(
      () => replicas(gateway),
      (all) => all[1]?.pid !== Number(pids[1]),
    );
    await answers(client, 20);
    // The health check starts it again, and it takes its turns.
    const [, again] = await eventually(() => replicas(gateway), allReady);
    assert.notEqual(String(again?.pid), pids[1]);
    assert.equal(new Set(await answers(client, 9)).size, 3);
  });
});

test("an HTTP replica that is gone is passed over at once, by calls that may write too, and taken back", async () => {
  const [one, two] = await Promise.all([named("one"), named("two")]);
  const url = ({ port }: RawServer) => ({ http_url: `http://127.0.0.1:${port}/mcp` });
  const search = { replicas: [url(one), url(two)], load_balancing: { reset_timeout: "300ms" } };
  await withGateway({ failsafe: { ...unlimited, ...quick }, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    const views = await started(gateway, client);
    assert.deepEqual(
      views.map(({ id, address }) => [id, address]),
      [one, two].map(({ port }) => [`127.0.0.1:${port}`, `http://127.0.0.1:${port}`]),
    );
    assert.deepEqual(counted(await answers(client, 10)), { one: 5, two: 5 });
    await one.close();
    assert.deepEqual(counted(await answers(client, 10)), { two: 10 });
    const out = (await replicas(gateway))[0];
    assert.ok((out?.failure_count ?? 0) > 0);
    const third = await named("one again", one.port);
    await eventually(
      async () => counted(await answers(client, 4)),
      (counts) => counts["one again"] === 2,
    );
    await two.close();
    assert.deepEqual(counted(await answers(client, 6)), { "one again": 6 });
    await third.close();
    const { failed, text } = await eventually(
      () => client.call("pid"),
      ({ text: said }) => /No replica/.test(said),
    );
    assert.equal(failed, true);
    for (const { port } of [one, two]) assert.match(text, new RegExp(`"127.0.0.1:${port}": .`));
  });
});

test("a replica that hangs does not open the circuit for all", async () => {
  const hanging = await rawMcpServer({ onMessage: (_socket, { method }) => method === "tools/call" });
  const sound = await named("sound");
  const search = {
    timeout: "300ms",
    replicas: [hanging, sound].map(({ port }) => ({ http_url: `http://127.0.0.1:${port}/mcp` })),
    load_balancing: { failure_threshold: 10, reset_timeout: "1m" },
  };
  const failsafe = {
    circuit_breaker: { failure_threshold: 3 },
    health_check: { enabled: false },
    error_budget: { enabled: false },
    tool_error_budget: { enabled: false },
  };
  await withGateway({ failsafe, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    await started(gateway, client);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => client.call("pid")));
    const codes = counted(outcomes.map(({ code, text }) => code ?? text));
    assert.ok((codes["TIMEOUT"] ?? 0) >= 8, JSON.stringify(codes));
    assert.equal(codes["CIRCUIT_OPEN"], undefined);
    assert.deepEqual(counted(await answers(client, 10)), { sound: 10 });
  });
  await Promise.all([hanging.close(), sound.close()]);
});

test("a reload that changes how they are used, or one of them, leaves the others as they run", async () => {
  const search: { replicas: object[] } = {
    replicas: [
      { id: "a", ...rawBackend() },
      { id: "b", ...rawBackend() },
    ],
  };
  await withGateway({ failsafe: unlimited, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    const [a, b] = await started(gateway, client);
    await reload(gateway, (backend) => {
      backend["load_balancing"] = { strategy: "weighted_round_robin" };
      (backend["replicas"] as { weight?: number }[])[0]!.weight = 300;
    });
    assert.deepEqual(counted(await answers(client, 8)), { [String(a?.pid)]: 6, [String(b?.pid)]: 2 });
    await reload(gateway, (backend) => {
      backend["replicas"] = [{ id: "new", ...rawBackend() }, ...(backend["replicas"] as object[]).slice(1)];
    });
    await client.call("pid");
    const views = await eventually(
      async () => {
        await client.call("pid");
        return replicas(gateway);
      },
      (all) => all.length === 2 && allReady(all),
    );
    assert.deepEqual(
      views.map(({ id }) => id),
      ["new", "b"],
    );
    assert.equal(views[1]?.pid, b?.pid);
    await eventually(
      () => isAlive(a?.pid as number),
      (alive) => !alive,
    );
  });
});

test("a session, or an address, stays with one replica", async () => {
  const search = {
    replicas: [rawBackend(), rawBackend(), rawBackend(), rawBackend()],
    load_balancing: { strategy: "session_hash" },
  };
  await withGateway({ failsafe: unlimited, backends: { search } }, async (gateway) => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => httpClient(gateway, "/mcp/search")));
    await started(gateway, clients[0] as Client);
    const homes: string[] = [];
    for (const client of clients) {
      const texts = new Set(await answers(client, 3));
      assert.equal(texts.size, 1);
      homes.push(...texts);
    }
    assert.ok(new Set(homes).size > 1);
    await reload(gateway, (backend) => {
      backend["load_balancing"] = { strategy: "ip_hash" };
    });
    const sessions = new Set(await Promise.all(clients.map(async (client) => (await client.call("pid")).text)));
    assert.equal(sessions.size, 1, "all come from one address");
    const addresses = Array.from({ length: 16 }, (_, at) => `127.0.0.${at + 2}`);
    const owners = await Promise.all(addresses.map((address) => pidFor(gateway, address)));
    assert.ok(new Set(owners).size > 1, owners.join());
    assert.deepEqual(await Promise.all(addresses.map((address) => pidFor(gateway, address))), owners);
  });
});

/** A call of a client of 2026-07-28, without a session, from this address of the loopback. */
async function pidFor(gateway: GatewayProcess, localAddress: string): Promise<string> {
  const body = await modernRequest(gateway, "tools/call", "pid", { name: "pid", arguments: {} }, localAddress);
  const text = /"text":"(\d+)"/.exec(body)?.[1];
  assert.ok(text, body);
  return text;
}

/** The body of the answer; `name` is what the header repeats of the params. */
function modernRequest(
  { port }: GatewayProcess,
  method: string,
  name: string,
  params: object,
  localAddress = "127.0.0.1",
): Promise<string> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/tasks": {} } },
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  };
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    "mcp-name": name,
  };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path: "/mcp/search", method: "POST", localAddress, headers });
    sent.on("error", reject).on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve(body));
    });
    sent.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }));
  });
}

test("a task is asked for at the replica that runs it", async () => {
  const server = { command: scriptArgv("conformance-modern-server.ts", "--stdio"), cwd: root };
  const search = { replicas: [server, server, server] };
  await withGateway({ failsafe: unlimited, backends: { search } }, async (gateway) => {
    const call = { name: "slow_compute", arguments: { seconds: 0.2 } };
    const ids: string[] = [];
    const begin = async () => {
      const body = await modernRequest(gateway, "tools/call", "slow_compute", call);
      const id = /"taskId":"([^"]+)"/.exec(body)?.[1];
      assert.ok(id, body);
      ids.push(id);
    };
    await begin();
    await eventually(() => replicas(gateway), allReady);
    for (let count = 0; count < 5; count++) await begin();
    for (const taskId of ids)
      await eventually(
        async () => {
          const body = await modernRequest(gateway, "tasks/get", taskId, { taskId });
          assert.doesNotMatch(body, /"error":\{"code"/);
          return body;
        },
        (body) => body.includes('"status":"completed"'),
      );
    const counts = (await replicas(gateway)).map(({ request_count }) => request_count);
    assert.ok(
      counts.every((count) => count > 2),
      String(counts),
    );
  });
});

test("replicas may be reached in any way, each in its own", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-replicas-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const servers = [
    await webSocketServer("over a WebSocket"),
    await unixLineServer("over a socket", join(folder, "lines.sock")),
    await unixHttpServer("over HTTP on a socket", join(folder, "http.sock")),
  ];
  const search = { replicas: [...servers.map(({ url }) => ({ http_url: url })), rawBackend()] };
  // They are not the same server, which is what pins are there to find out.
  const security = { tool_integrity: { on_change: "warn" } };
  await withGateway({ failsafe: unlimited, security, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    await client.call("echo", { text: "over pipes" });
    const views = await eventually(() => replicas(gateway), allReady);
    assert.deepEqual(
      views.map(({ transport }) => transport),
      ["websocket", "unix", "unix", "stdio"],
    );
    const places = new Set<string>();
    for (let count = 0; count < 8; count++) places.add((await client.call("echo", { text: "over pipes" })).text);
    assert.deepEqual([...places].sort(), ["over HTTP on a socket", "over a WebSocket", "over a socket", "over pipes"]);
    await gateway.logged(/Replicas of a backend list different things/);
  });
  await Promise.all(servers.map((server) => server.stop()));
});

test("what is watched stays watched when the replica that did it dies", async () => {
  const search = { replicas: [rawBackend("--resources"), rawBackend("--resources")] };
  await withGateway({ failsafe: { ...unlimited, ...quick }, backends: { search } }, async (gateway) => {
    const client = await httpClient(gateway, "/mcp/search");
    const views = await started(gateway, client);
    await client.request("resources/subscribe", { uri: "test://own" });
    const isWatched = (list: string) => list.includes("+test://own");
    const lists = await answers(client, 2, "watched");
    assert.equal(lists.filter(isWatched).length, 1, "one of them, whoever it is");
    // They take turns: the next one is who answered first.
    const [first] = await answers(client, 1);
    const owner = views.find(({ pid }) => (String(pid) === first) === isWatched(lists[0] as string));
    process.kill(owner?.pid as number, "SIGKILL");
    // The first calls may still meet the end of its process.
    await eventually(
      () => client.call("watched"),
      ({ text }) => isWatched(text),
    );
  });
});

test("operators see one server with its replicas, on every door", async () => {
  const search = {
    description: "Finds things",
    env: { SHARED: "1" },
    replicas: [
      { id: "main", weight: 300, ...rawBackend(), env: { API_KEY: "sk-1234567890abcdef12345" } },
      { command: ["/nowhere/server", "--token", "sk-abcdef1234567890abcdef"] },
    ],
    load_balancing: { strategy: "least_connections" },
  };
  await withGateway(
    { failsafe: { ...unlimited, health_check: { enabled: false } }, backends: { search } },
    async (gateway) => {
      const before = await (await fetch(`http://127.0.0.1:${gateway.port}/health`)).text();
      assert.match(before, /"replicas":\[\{"id":"main"/, "before the first call too");
      const client = await httpClient(gateway, "/mcp");
      for (let count = 0; count < 6; count++) assert.equal((await client.invoke("search", "pid")).failed, false);
      const [main, broken] = await eventually(
        () => replicas(gateway),
        ([, second]) => second?.in_rotation === false,
      );
      assert.deepEqual(
        [main?.state, main?.request_count, broken?.id, broken?.pid],
        ["ready", main?.request_count, "server", null],
      );
      assert.match(broken?.last_error ?? "", /nowhere/);

      const healthText = await (await fetch(`http://127.0.0.1:${gateway.port}/health`)).text();
      assert.match(healthText, /"status":"healthy"/, "one that answers is enough");
      const metrics = await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text();
      assert.match(metrics, /^mcp_replica_up\{backend="search",replica="main"\} 1$/m);
      assert.match(metrics, /^mcp_replica_in_rotation\{backend="search",replica="server"\} 0$/m);
      assert.match(metrics, /^mcp_replica_failures_total\{backend="search",replica="server"\} [1-9]/m);
      assert.match(metrics, /^mcp_backend_up\{backend="search"\} 1$/m);
      const detail = await (await fetch(`http://127.0.0.1:${gateway.port}/ui/api/backends/search`)).text();
      const { text: listed } = await client.request("tools/call", { name: "gateway_list_servers", arguments: {} });
      assert.match(listed, /"transport": ?"group"/);
      assert.match(listed, /"replicas": ?2,\s*"replicas_in_rotation": ?1/);

      const list = run(gateway, "list");
      assert.match(list.out, /search \(2 replicas\)/);
      const get = run(gateway, "get", "search");
      assert.match(get.out, /Replica 1 "main", weight 300:\n {2}Command: /);
      assert.match(get.out, /Replica 2:\n {2}Command: +\/nowhere\/server/);
      const doctor = run(gateway, "doctor");
      assert.match(doctor.out, /but without replica "server": /);
      const validate = run(gateway, "validate");
      assert.equal(validate.code, 0, validate.err);
      const shown = run(gateway, "config", "show");
      for (const text of [healthText, metrics, detail, listed, list.out, get.out, doctor.out, gateway.stderr()])
        assert.doesNotMatch(text, /sk-(1234567890|abcdef)/);
      assert.equal(shown.code, 0);

      await fetch(`http://127.0.0.1:${gateway.port}/ui/api/backends/search/stop`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      await eventually(
        () => isAlive(main?.pid as number),
        (alive) => !alive,
      );
      assert.equal((await client.invoke("search", "pid")).failed, false);
      const pids = (await replicas(gateway)).map(({ pid }) => pid);
      assert.equal(await gateway.stop(), 0);
      for (const pid of pids) if (pid !== null) assert.equal(isAlive(pid), false);
    },
  );
});

test("mcp-gateway doctor and validate say which replica is wrong", async () => {
  const search = { replicas: [rawBackend(), { command: ["/nowhere/server"] }] };
  await withGateway({ backends: { search } }, async (gateway) => {
    const { out, code } = run(gateway, "doctor");
    assert.match(out, /Backend search, replica server/);
    assert.notEqual(code, 0);
    const path = join(gateway.folder, "wrong.yaml");
    writeFileSync(path, "backends:\n  search:\n    replicas:\n      - htp_url: http://x/mcp\n");
    const wrong = spawnSync(binaryPath, ["validate", path], { encoding: "utf8" });
    assert.equal(wrong.status, 1);
    assert.match(
      wrong.stderr,
      /:4:9 .*replicas\[0\] needs one of "command", "http_url" or "a2a_url": did you mean "http_url" for "htp_url"/,
    );
  });
});

/**
 * T5: a web page reaches a gateway on this machine by a name of its own that it re-binds to 127.0.0.1, or straight
 * from its own origin. Whatever the route, it must get a refusal and cause nothing.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { backendCommand, each, HttpClient, initializeMessage, sendBytes, statusOf, toolCall } from "./clients.ts";

let gateway: GatewayProcess;
let record: string;
let onAll: HttpClient;
let onOne: HttpClient;

before(async () => {
  gateway = await startGateway({
    capabilities: { enabled: false },
    // The folder is the working directory of the gateway, so of the backend.
    backends: { recorder: { command: backendCommand("--record=record.jsonl") } },
  });
  record = join(gateway.folder, "record.jsonl");
  onAll = await HttpClient.open(`${gateway.url}/mcp`);
  onOne = await HttpClient.open(`${gateway.url}/mcp/recorder`);
  await onAll.invoke("recorder", "echo", { token: "started" });
});
after(() => gateway?.stop());

const recorded = (): string => (existsSync(record) ? readFileSync(record, "utf8") : "");

interface Route {
  readonly method: string;
  readonly path: string;
  readonly session?: () => string;
  readonly body?: string;
  readonly isHandshake?: true;
}

const attack = JSON.stringify(toolCall(1, "attack"));
const attackThrough = JSON.stringify(toolCall(1, "gateway_invoke", { server: "recorder", tool: "attack" }));
const routes: Route[] = [
  { method: "POST", path: "/mcp", session: () => onAll.sessionId, body: attackThrough },
  { method: "POST", path: "/mcp/recorder", session: () => onOne.sessionId, body: attack },
  { method: "POST", path: "/mcp/recorder/deeper", session: () => onOne.sessionId, body: attack },
  { method: "GET", path: "/mcp", session: () => onAll.sessionId },
  { method: "DELETE", path: "/mcp", session: () => onAll.sessionId },
  { method: "DELETE", path: "/mcp/recorder", session: () => onOne.sessionId },
  { method: "OPTIONS", path: "/mcp" },
  { method: "POST", path: "/sse", body: attack },
  { method: "POST", path: "/messages?sessionId=guess", body: attack },
  { method: "GET", path: "/mcp", isHandshake: true },
  { method: "GET", path: "/mcp/recorder", isHandshake: true },
  { method: "POST", path: "/mcp/nobody", body: JSON.stringify(initializeMessage()) },
  ...["/health", "/readiness", "/liveness", "/", "/ui", "/ui/", "/ui/nothing", "/sse", "/sse/recorder"].map(getting),
  { method: "POST", path: "/ui/api/tools/call", body: JSON.stringify({ server: "recorder", tool: "attack" }) },
  { method: "PATCH", path: "/ui/api/backends/none", body: '{"enabled":true}' },
  ...[
    "/metrics",
    "/dashboard",
    "/ui/api/config",
    "/ui/api/calls",
    "/api/v1/connections",
    "/.well-known/oauth-protected-resource",
    "/ui/%2e%2e/health",
    "//mcp",
  ].map(getting),
];
function getting(path: string): Route {
  return { method: "GET", path };
}

/** Header lines, and whether the name is one of ours. */
const port = () => gateway.port;
const hosts: Record<string, () => [lines: string[], isOurs: boolean]> = {
  "a foreign name": () => [["Host: evil.test"], false],
  "a foreign name with our port": () => [[`Host: evil.test:${port()}`], false],
  "a name that holds our address": () => [["Host: 127.0.0.1.nip.io"], false],
  "a name that ends in ours": () => [[`Host: evil.localhost:${port()}`], false],
  "our name with a dot": () => [[`Host: localhost.:${port()}`], false],
  "user information": () => [[`Host: localhost@evil.test`], false],
  "user information before ours": () => [[`Host: evil.test@localhost:${port()}`], false],
  "two of them": () => [[`Host: localhost:${port()}`, "Host: evil.test"], false],
  "two of them, ours last": () => [["Host: evil.test", `Host: localhost:${port()}`], false],
  "a list": () => [[`Host: localhost, evil.test`], false],
  "another way to write our address": () => [["Host: 2130706433"], false],
  none: () => [[], false],
  "an empty one": () => [["Host:"], false],
  localhost: () => [["Host: localhost"], true],
  "LOCALHOST with port": () => [[`Host: LOCALHOST:${port()}`], true],
  "the address with port": () => [[`Host: 127.0.0.1:${port()}`], true],
  "the IPv6 address": () => [[`Host: [::1]:${port()}`], true],
};
/** Header line for a request to this `Host`, and whether a page of that origin may ask. */
const origins: Record<string, (host: string) => [line: string | undefined, isOurs: boolean]> = {
  "no origin": () => [undefined, true],
  "the opaque origin": () => ["Origin: null", false],
  "a foreign origin": () => ["Origin: http://evil.test", false],
  "an origin that begins like ours": () => ["Origin: http://localhost.evil.test", false],
  "an origin with our port": () => [`Origin: http://evil.test:${port()}`, false],
  "another port of this machine": () => ["Origin: http://localhost:9", false],
  "user information in the origin": (host) => [`Origin: http://${host}@evil.test`, false],
  "the same origin": (host) => [`Origin: http://${host}`, true],
  "the same host by https": (host) => [`Origin: https://${host}`, true],
};

interface Attempt {
  readonly name: string;
  readonly route: Route;
  readonly version: string;
  readonly headers: readonly string[];
  readonly isAllowed: boolean;
}

function attempts(): Attempt[] {
  const all: Attempt[] = [];
  for (const route of routes)
    for (const [hostName, host] of Object.entries(hosts))
      for (const [originName, origin] of Object.entries(origins)) {
        const [lines, hostIsOurs] = host();
        const [line, originIsOurs] = origin(lines[0]?.slice("Host: ".length) ?? "");
        const headers = line === undefined ? lines : [...lines, line];
        const name = `${route.method} ${route.path} with ${hostName} and ${originName}`;
        const isAllowed = hostIsOurs && originIsOurs;
        all.push({ name, route, version: "1.1", headers, isAllowed });
        if (lines.length < 2) all.push({ name: `${name} (1.0)`, route, version: "1.0", headers, isAllowed });
      }
  return all;
}

const handshake = ["Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];

async function statusFor({ route, version, headers }: Attempt): Promise<number | undefined> {
  const { method, path, session, body, isHandshake } = route;
  const lines = [`${method} ${path} HTTP/${version}`, ...headers];
  if (isHandshake) lines.push(...handshake, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
  else lines.push("Connection: close");
  if (session !== undefined) lines.push(`Mcp-Session-Id: ${session()}`);
  lines.push(`Accept: application/json${method === "GET" ? ", text/event-stream" : ""}`);
  if (method === "OPTIONS") lines.push("Access-Control-Request-Method: POST");
  if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${body.length}`);
  return statusOf(await sendBytes(gateway.port, `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`));
}

const refusals = [400, 403, 421];

test("T5: a foreign Host or Origin is refused on every route, and nothing happens", async () => {
  const hostile = attempts().filter(({ isAllowed }) => !isAllowed);
  const before = recorded();
  const wrong: string[] = [];
  await each(hostile, 64, async (attempt) => {
    const status = await statusFor(attempt);
    if (status === undefined || !refusals.includes(status)) wrong.push(`${attempt.name}: ${status}`);
  });
  assert.ok(hostile.length > 2_000, `only ${hostile.length} requests were tried`);
  assert.deepEqual(wrong.sort(), []);
  assert.equal(recorded(), before, "a backend was asked something");
  for (const client of [onAll, onOne]) assert.equal((await client.request("ping")).status, 200, "a session is gone");
});

test("T5: our own names and pages are let in, with the same requests", async () => {
  // What is let in there stays open.
  const isLong = ({ path, session, isHandshake }: Route) => session || isHandshake || path.startsWith("/sse");
  const harmless = (route: Route) => route.method !== "DELETE" && !(route.method === "GET" && isLong(route));
  const friendly = attempts().filter(({ isAllowed, route }) => isAllowed && harmless(route));
  const wrong: string[] = [];
  await each(friendly, 64, async (attempt) => {
    const status = await statusFor(attempt);
    if (status === undefined || refusals.includes(status)) wrong.push(`${attempt.name}: ${status}`);
  });
  assert.ok(friendly.length > 100, `only ${friendly.length} requests were tried`);
  assert.deepEqual(wrong.sort(), []);
  assert.match(recorded(), /"name":"attack"/);
});

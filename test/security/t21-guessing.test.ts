/**
 * T21: tokens can be neither guessed nor measured. There are no timing trials here: what differs by the bytes of a token
 * would be nanoseconds, a request over loopback on a busy machine differs by a thousand times that, so a trial would pass
 * whatever the code does. Read instead: only digests are compared, by `timingSafeEqual`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, startGateway } from "../e2e/harness.ts";
import { HttpClient, initializeMessage, post } from "./clients.ts";

const key = "the-right-key-0123456789";
const config = { capabilities: { enabled: false }, auth: { enabled: true, api_keys: [{ key }] }, backends: {} };
const as = (token: string) => ({ authorization: `Bearer ${token}` });

test("T21: who guesses is refused with 429 and the time to wait, a hit included; who is at work goes on", async () => {
  const gateway = await startGateway(config);
  const url = `${gateway.url}/mcp`;
  const status = async (headers: Record<string, string>) => (await post(url, initializeMessage(), headers)).status;
  try {
    const working = await HttpClient.open(url, as(key));
    // Nearly right ones are as wrong as all others.
    const guesses = Array.from({ length: 10 }, (_, at) => key.slice(0, -1 - at) + "x".repeat(at + 1));
    for (const guess of guesses) assert.equal(await status(as(guess)), 401, guess);
    const refused = await post(url, initializeMessage(), { "x-api-key": "another" });
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers.get("retry-after"));
    assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
    assert.equal(refused.message.error.data.code, "TOO_MANY_ATTEMPTS");

    assert.equal(await status(as(key)), 429, "a guess that hits would be answered");
    assert.equal(await status({ ...as(key), "mcp-session-id": "guessed" }), 429);
    assert.equal(await status({ ...as("wrong"), "mcp-session-id": working.sessionId }), 429);
    assert.equal((await working.request("ping")).status, 200, "a client at work is locked out by somebody's guesses");
    assert.equal((await fetch(`${gateway.url}/liveness`)).status, 200);
    // Lines say from where, and nothing of what.
    await gateway.logged(/WARN .*address=127\.0\.0\.1/);
    assert.ok(!guesses.some((guess) => gateway.stderr().includes(guess)));
  } finally {
    await gateway.stop();
  }
});

test("T21: one wrong token over and over slows its sender down and nobody else", async () => {
  const gateway = await startGateway(config);
  try {
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++)
      statuses.push((await post(`${gateway.url}/mcp`, initializeMessage(), as("out-of-date"))).status);
    assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(10).fill(429)]);
    assert.equal((await post(`${gateway.url}/mcp`, initializeMessage(), as(key))).status, 200);
  } finally {
    await gateway.stop();
  }
});

test("T21: secrets of callers are read in few files, and none compares them but by digest", () => {
  const doors = join(root, "src", "doors");
  const files = readdirSync(doors, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const reading = files.filter((name) =>
    /\.get\("(authorization|x-api-key)"\)|bearer_token|api_keys/.test(readFileSync(join(doors, name), "utf8")),
  );
  // The view lists who may come in, and nothing of a key but the start of its digest.
  const view = join("http", "manage", "control-plane-view.ts");
  assert.deepEqual(reading.sort(), [join("http", "authenticate.ts"), join("http", "key-table.ts"), view, "schema.ts"]);
  const compared = /(token|digest|secret|\bkey)\w*\s*[!=]==(?!\s*(undefined|"auto"))/i;
  const searched = /\.(startsWith|endsWith|includes|indexOf|has|localeCompare)\(\w*(token|digest|secret|key)/i;
  for (const name of files.filter((file) => /^(http|key-server)/.test(file))) {
    for (const line of readFileSync(join(doors, name), "utf8").split("\n")) {
      // The digest of a tool's definition is no secret.
      if (name === view && line.includes("one.tool === tool")) continue;
      assert.doesNotMatch(line, compared, name);
      assert.doesNotMatch(line, searched, name);
    }
  }
  const digest = readFileSync(join(root, "src", "runtime", "digest.ts"), "utf8");
  assert.match(digest, /timingSafeEqual\(a, b\)/);
});

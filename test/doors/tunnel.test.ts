/** The tunnel with a stand-in for Tailscale's program (test/fixtures/fake-tailscale.sh): the real one was not run. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { LogFields, Logger } from "../../src/core/log.ts";
import type { TunnelSettings } from "../../src/doors/tunnel/schema.ts";
import { AddressReader } from "../../src/doors/tunnel/tailscale.ts";
import { createTunnel } from "../../src/doors/tunnel/tunnel.ts";
import { type TunnelEnd, tunnelEnd } from "../../src/doors/tunnel/tunnel-end.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { initializeMessage, testApp } from "./http-client.ts";

const standIn = fileURLToPath(new URL("../fixtures/fake-tailscale.sh", import.meta.url));
const host = "box.tail1234.ts.net";

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "tunnel-"));
  const executable = join(folder, "tailscale");
  copyFileSync(standIn, executable);
  chmodSync(executable, 0o755);
  const clock = new FakeClock();
  const logged: { level: string; message: string; fields: LogFields }[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void logged.push({ level, message, fields });
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), with: () => log };
  const ends: (string | undefined)[] = [];
  const door = { url: "http://127.0.0.1:39400", setTunnel: (end: TunnelEnd | undefined) => void ends.push(end?.host) };
  const tunnel = createTunnel({ door, log, clock, random: () => 0 });
  t.after(async () => {
    const closed = tunnel.close();
    await clock.advance(10_000);
    await closed;
    rmSync(folder, { recursive: true, force: true });
  });
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "");
  return {
    ...{ tunnel, clock, logged, ends, read },
    write: (name: string, text: string) => writeFileSync(join(folder, name), text),
    remove: (name: string) => rmSync(join(folder, name)),
    settings: (change: Partial<TunnelSettings> = {}): TunnelSettings => ({
      ...{ enabled: true, mode: "serve", https_port: 443, executable },
      ...change,
    }),
    said: (message: RegExp) => logged.filter((line) => message.test(line.message)),
    pid: (name = "pid") => Number(read(name)),
    isOpen: () => ends.at(-1) === host && read("pid") !== "",
  };
}

test("tunnel: runs the program in the foreground, says the address once, and ends it and what it started", async (t) => {
  const { tunnel, settings, isOpen, read, pid, said, ends } = setUp(t);
  tunnel.follow(settings());
  await until(isOpen);
  tunnel.follow(settings());
  assert.equal(read("calls"), "serve --https=443 http://127.0.0.1:39400\n");
  assert.deepEqual(
    said(/^The tunnel is open$/).map(({ fields }) => fields),
    [{ url: `https://${host}/mcp`, mode: "serve" }],
  );
  assert.equal(said(/Press Ctrl\+C/).length, 1);
  const pids = [pid(), pid("child")];
  assert.ok(pids.every(isAlive));
  await tunnel.close();
  assert.ok(!pids.some(isAlive));
  assert.equal(ends.at(-1), undefined);
});

test("tunnel: other settings end the old program before the new one begins; switched off, there is none", async (t) => {
  const { tunnel, settings, isOpen, read, pid, ends, remove } = setUp(t);
  tunnel.follow(settings());
  await until(isOpen);
  const first = pid();
  remove("pid");
  tunnel.follow(settings({ mode: "funnel", https_port: 8443 }));
  await until(isOpen);
  assert.ok(!isAlive(first));
  assert.equal(read("calls").split("\n")[1], "funnel --https=8443 http://127.0.0.1:39400");
  const second = pid();
  tunnel.follow(settings({ enabled: false }));
  await until(() => !isAlive(second) && ends.at(-1) === undefined);
  assert.equal(read("calls").trim().split("\n").length, 2);
});

test("tunnel: a program that ends is started again, later each time, and what it said is in the log", async (t) => {
  const { tunnel, settings, clock, read, write, remove, said, isOpen } = setUp(t);
  write("exit", "access denied: serve config");
  tunnel.follow(settings());
  const calls = () => read("calls").trim().split("\n").length;
  const waits = () => said(/will be opened again/).map(({ fields }) => fields["wait_ms"]);
  for (const [failures, waitMs] of [500, 1_500, 4_500].entries()) {
    await until(() => waits().length === failures + 1);
    assert.equal(calls(), failures + 1);
    await clock.advance(waitMs - 1);
    assert.equal(calls(), failures + 1);
    if (failures === 2) remove("exit");
    await clock.advance(1);
  }
  await until(isOpen);
  assert.deepEqual(waits(), [500, 1_500, 4_500]);
  assert.match(String(said(/will be opened again/)[0]?.fields["reason"]), /exited with code 3; it said: access denied/);
});

test("tunnel: a name is let in for as long as the program runs", async (t) => {
  const { tunnel, settings, isOpen, pid, ends } = setUp(t);
  tunnel.follow(settings());
  await until(isOpen);
  process.kill(pid(), "SIGKILL");
  await until(() => ends.at(-1) === undefined);
});

test("tunnel: waiting for a person is said, and the address of the login is not taken for ours", async (t) => {
  const { tunnel, settings, clock, write, remove, said, ends, isOpen } = setUp(t);
  write("login", "");
  tunnel.follow(settings());
  await until(() => said(/login\.example\.com/).length === 1);
  assert.deepEqual(ends, []);
  await clock.advance(30_000);
  assert.equal(said(/still not open/).length, 1);
  remove("login");
  await until(isOpen);
});

test("tunnel: without the program the gateway goes on, and the way out is told once", async (t) => {
  const { tunnel, settings, clock, said, logged } = setUp(t);
  tunnel.follow(settings({ executable: "no-such-tailscale" }));
  await until(() => said(/cannot be opened/).length === 1);
  await clock.advance(600_000);
  assert.equal(logged.length, 1);
  assert.match(String(logged[0]?.fields["reason"]), /no program of that name in PATH/);
  assert.match(String(logged[0]?.fields["fix"]), /Install Tailscale, or set tunnel\.executable/);
});

test("AddressReader: takes the one address that follows the announcement, if it is one", () => {
  const read = (...lines: string[]) => {
    const reader = new AddressReader();
    return lines.map((line) => reader.read(line)?.url).filter((url) => url !== undefined);
  };
  const within = "Available within your tailnet:";
  assert.deepEqual(read(within, "https://a.b.ts.net/", "https://c.d/"), ["https://a.b.ts.net"]);
  assert.deepEqual(read("Available on the internet:", "", "https://a.b.ts.net:8443/"), ["https://a.b.ts.net:8443"]);
  assert.deepEqual(read("https://a.b.ts.net/"), []);
  for (const address of ["https://u:p@a.b/", "https://localhost/", "http://a.b/", "https://a.b%2f/", "https://[::1]/"])
    assert.deepEqual(read(within, address), [], address);
});

test("a name of the tunnel is let in while it is open and not a moment longer, of web pages only its own", async () => {
  const { app, post } = testApp(fakeGateway());
  const status = async (headers: Record<string, string>) => (await post("/mcp", initializeMessage(), headers)).status;
  assert.equal(await status({ host }), 403);
  app.setTunnel(tunnelEnd(host));
  assert.equal(await status({ host }), 200);
  assert.equal(await status({ host: `${host.toUpperCase()}:8443` }), 200);
  assert.equal(await status({ host, origin: `https://${host}` }), 200);
  assert.equal(await status({ host, origin: "https://evil.test" }), 403);
  assert.equal(await status({ host: `evil.${host}` }), 403);
  app.setTunnel(undefined);
  assert.equal(await status({ host }), 403);
});

test("T21: who guesses tokens through the tunnel is counted by the address Tailscale gives, and locks out nobody else", async () => {
  const token = "right-token-0123456789";
  const { app, post } = testApp(fakeGateway({ auth: { enabled: true, bearer_token: token } }));
  app.setTunnel(tunnelEnd(host));
  const status = async (authorization: string, headers: Record<string, string>) =>
    (await post("/mcp", initializeMessage(), { authorization: `Bearer ${authorization}`, ...headers })).status;
  const from = (address: string) => ({ host, "x-forwarded-for": address });
  for (let at = 0; at < 12; at++) await status(`wrong-${at}`, from("203.0.113.9"));
  assert.equal(await status(token, from("203.0.113.9")), 429);
  assert.equal(await status(token, from("203.0.113.10")), 200);
  assert.equal(await status(token, { host: "localhost" }), 200);
  // Said where there is no tunnel in between, it is worth nothing.
  for (let at = 0; at < 12; at++) await status(`wrong-${at}`, { "x-forwarded-for": `203.0.113.${at}` });
  assert.equal(await status(token, { host: "localhost" }), 429);
});

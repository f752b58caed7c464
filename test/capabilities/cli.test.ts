/** T12: a program gets exactly the arguments of the file, whatever a caller sends, and nothing of it is left behind. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { call, Folder, listTools, type TryOptions, tryOnce, upstreamOver } from "./fixture.ts";

type Args = readonly (string | readonly string[])[];

function tool(args: Args, types: Readonly<Record<string, string>> = {}, more: JsonObject = {}, about: JsonObject = {}) {
  const [command, ...script] = scriptArgv("cli-tool.mjs") as [string, ...string[]];
  const properties = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  const config = { command, args: [...script, ...args], ...more };
  return { schema: { input: { properties } }, providers: { primary: { service: "cli", config } }, ...about };
}

async function shown(definition: JsonObject, options: TryOptions = {}) {
  const { text, isError } = await tryOnce(definition, options);
  assert.equal(isError, false, text);
  return JSON.parse(text) as { args: string[]; env: Record<string, string>; stdin: string; cwd: string };
}

const hostile = [
  ";touch x",
  "$(touch x)",
  "`touch x`",
  "a\nb",
  "%COMSPEC%",
  "a b  c",
  "'\"\\",
  "*",
  "~",
  "|cat",
  "{env.SECRET}",
  "é漢😀",
  "",
];

test("T12: what a caller sends is one whole argument, whatever it is", async () => {
  await using folder = await Folder.with({});
  for (const text of hostile) {
    const definition = tool(["show", "--name={name}", "--", "{name}"], { name: "string" }, { cwd: folder.path });
    const { args, cwd } = await shown(definition, { args: { name: text }, env: { SECRET: "canary" } });
    assert.deepEqual(args, [`--name=${text}`, "--", text]);
    assert.equal(cwd, realpathSync(folder.path));
  }
  assert.equal(existsSync(join(folder.path, "x")), false);
});

test("T12: a value cannot pose as an option, except behind -- or where the file begins the argument", async () => {
  const types = { name: "string", n: "integer", list: "array" };
  for (const args of [{ name: "--exec=evil" }, { name: "-x" }, { list: ["fine", "-rf"] }]) {
    const { isError, text } = await tryOnce(tool(["show", "{name}", "{list}"], types), { args });
    assert.equal(isError, true);
    assert.match(text, /^"(name|list)" must not begin with "-": the program would take it as an option$/);
  }
  assert.deepEqual((await shown(tool(["show", "--", "{name}"], types), { args: { name: "-x" } })).args, ["--", "-x"]);
  assert.deepEqual((await shown(tool(["show", "{n}"], types), { args: { n: -5 } })).args, ["-5"]);
  const { text } = await tryOnce(tool(["show", "--", "{name}"], types), { args: { name: "a\0b" } });
  assert.equal(text, '"name" must not have a NUL character');
});

test("cli: lists are many arguments, and what has no value is left out with the words that belong to it", async () => {
  const types = { q: "string", limit: "integer", tags: "array", deep: "object" };
  const definition = tool(["show", ["--query", "{q}"], ["--limit", "{limit}"], "{tags}", "{deep}"], types);
  const full = { q: "a b", limit: 5, tags: ["x", 2], deep: { a: 1 } };
  assert.deepEqual((await shown(definition, { args: full })).args, [
    "--query",
    "a b",
    "--limit",
    "5",
    "x",
    "2",
    '{"a":1}',
  ]);
  assert.deepEqual((await shown(definition, { args: { q: "z" } })).args, ["--query", "z"]);
});

test("cli: a mapping is one argument of JSON, which no value can leave", async () => {
  const [command, ...script] = scriptArgv("cli-tool.mjs") as [string, ...string[]];
  const json = { q: "{q}", n: "{n}", gone: { deep: "{gone}" } };
  const config = { command, args: [...script, "show", "--params", json] };
  const properties = { q: { type: "string" }, n: { type: "integer" }, gone: { type: "string" } };
  const definition = { schema: { input: { properties } }, providers: { primary: { service: "cli", config } } };
  const { args } = await shown(definition, { args: { q: '","admin":true,"', n: 5 } });
  assert.deepEqual(args, ["--params", JSON.stringify({ q: '","admin":true,"', n: 5 })]);
});

test("T12: the environment has PATH, HOME, TMPDIR, LANG and what the file names", async () => {
  process.env["CANARY_OF_THE_GATEWAY"] = "canary";
  try {
    const more = { env: { TOKEN: "{env.KEY}", ABSENT: "{env.NOPE}", MODE: "fast" }, stdin: "in: {q}" };
    const { env, stdin } = await shown(tool(["show"], { q: "string" }, more), {
      args: { q: "question" },
      env: { KEY: "k3y", OTHER: "other" },
    });
    assert.equal(stdin, "in: question");
    const inherited = ["PATH", "HOME", "TMPDIR", "LANG", "PWD", "OLDPWD", "SHLVL", "_", "NO_COLOR"];
    assert.deepEqual(
      Object.keys(env)
        .filter((name) => !inherited.includes(name))
        .sort(),
      ["MODE", "TOKEN"],
    );
    assert.equal(env["TOKEN"], "k3y");
  } finally {
    delete process.env["CANARY_OF_THE_GATEWAY"];
  }
});

test("cli: a bad end is an error with the last words of the program, without its keys", async () => {
  const { isError, text } = await tryOnce(tool(["fail"], {}, { env: { KEY: "{env.KEY}" } }), {
    env: { KEY: "k3y-canary" },
  });
  assert.equal(isError, true);
  assert.match(text, /^".+" ended with exit code 3\ncannot do it with \[redacted\]/);
  const missing = { providers: { primary: { service: "cli", config: { command: "no-such-program-here" } } } };
  const { text: reason } = await tryOnce(missing);
  assert.match(reason, /^Cannot start "no-such-program-here": no program of that name in PATH\nInstall it/);
});

test("cli: output is JSON, text or whatever the file says", async () => {
  assert.equal((await tryOnce(tool(["raw", '{"a":[1]}'], {}, { response_path: "a.0" }))).text, "1");
  assert.deepEqual(JSON.parse((await tryOnce(tool(["raw", "plain"]))).text), { answer: "plain", confidence: "high" });
  assert.match((await tryOnce(tool(["raw", "no"], {}, { response_format: "json" }))).text, /is not valid JSON\nno$/);
  assert.deepEqual(JSON.parse((await tryOnce(tool(["raw", "<a>1</a>"], {}, { response_format: "xml" }))).text), {
    a: "1",
  });
});

test("cli: a flood ends the program", async () => {
  const { text } = await tryOnce(tool(["flood"]));
  assert.match(text, /^".+" wrote more than 16777216 bytes\nAsk for less at once$/);
});

async function hanging(
  timeout: number,
  end: (caller: AbortController) => void,
): Promise<{ pids: number[]; text: string }> {
  await using folder = await Folder.with({});
  const pidFile = join(folder.path, "pids");
  const definition = tool(["hang", pidFile]);
  Object.assign(definition.providers.primary, { timeout });
  await folder.write("tool.yaml", JSON.stringify({ description: "d", ...definition }));
  await using upstream = upstreamOver([folder.path]);
  const caller = new AbortController();
  const answered = call(upstream, "tool", {}, caller.signal).then(
    ({ text }) => text,
    (error: unknown) => String(error),
  );
  await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("]"), 20_000);
  const pids = JSON.parse(readFileSync(pidFile, "utf8")) as number[];
  assert.ok(pids.every(isAlive));
  end(caller);
  const text = await answered;
  await until(() => !pids.some(isAlive));
  return { pids, text };
}

test("cli: cancelling ends the program and what it started, also one that ignores SIGTERM", async () => {
  const { text } = await hanging(60, (caller) => caller.abort());
  assert.match(text, /CancelledError/);
});

test("cli: so does its timeout", async () => {
  const { text } = await hanging(3, () => {});
  assert.equal(text, "The API did not answer within 3 s");
});

test("keychain: a key is asked of the system's keychain by name, and missing ones are named", async (t) => {
  if (process.platform !== "linux") return t.skip("the stand-in is a program of Linux");
  await using folder = await Folder.with({
    "bin/secret-tool": '#!/bin/sh\n[ "$1 $2 $3" = "lookup service my-item" ] && echo k3y-canary && exit 0\nexit 1\n',
  });
  await chmod(join(folder.path, "bin/secret-tool"), 0o755);
  const env = { PATH: `${join(folder.path, "bin")}:${process.env["PATH"]}` };
  const more = { env: { KEY: "{keychain.my-item}" } };
  assert.equal((await shown(tool(["show"], {}, more), { env })).env["KEY"], "[redacted]");
  const auth = { auth: { required: true, type: "bearer", key: "keychain:absent" } };
  const definition = { providers: { primary: { config: { base_url: "http://127.0.0.1:9" } } }, ...auth };
  const { text } = await tryOnce(definition, { env });
  assert.equal(
    text,
    'The key for this API is missing: the keychain has no item "absent"\nAsk the operator of the gateway to set it',
  );
});

test("availability: a tool without its key, program or address stays listed and says what it needs", async () => {
  const about = (config: JsonObject, more: JsonObject = {}) =>
    JSON.stringify({ description: "d", providers: { primary: config }, metadata: { tags: ["t"] }, ...more });
  const api = { config: { base_url: "http://api.example" } };
  const required = { auth: { required: true, type: "bearer", key: "env:TOKEN" } };
  await using folder = await Folder.with({
    "key.yaml": about(api, required),
    "host.yaml": about({ config: { base_url: "https://{env.HOST}/x" } }),
    "program.yaml": about({ service: "cli", config: { command: "no-such-program-here" } }),
    "optional.yaml": about(api, { auth: { type: "bearer", key: "env:TOKEN" } }),
  });
  const reasons = async (env: Record<string, string>) => {
    await using upstream = upstreamOver([folder.path], { env });
    return Object.fromEntries(
      (await listTools(upstream)).map(({ name, _meta }) => [name, (_meta as JsonObject)["mcp-gateway/unavailable"]]),
    );
  };
  assert.deepEqual(await reasons({}), {
    host: "needs HOST",
    key: "needs TOKEN",
    optional: undefined,
    program: "needs the program no-such-program-here",
  });
  assert.deepEqual((await reasons({ HOST: "h", TOKEN: "t" }))["key"], undefined);
});

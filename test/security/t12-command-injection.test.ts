/** T12: what the configuration says of a program reaches that program, as it is, and nothing else does. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

/** The configuration's own syntax: its text arrives, the command in it as plain characters. */
const withVariable = `\${NOT_A_VARIABLE:-$(touch made)}`;
/** Each would make a file called `made` in the working directory if anything but the program read it. */
const hostileArguments = [
  ";touch made",
  "&& touch made",
  "| touch made",
  "$(touch made)",
  "`touch made`",
  "\ntouch made\n",
  "a\r\nb",
  "-e",
  "--",
  "-c touch made",
  "%COMSPEC%",
  "%COMSPEC% /c echo > made",
  "^&echo>made",
  "*",
  "~",
  "$HOME",
  withVariable,
  "quote \" and ' in one",
  "back\\slash\\",
  "",
  " ",
  "ünï\u202ecode 😀",
];
const received = hostileArguments.map((argument) => (argument === withVariable ? "$(touch made)" : argument));
/** Variables of the gateway's own process which would change what a child does, or tell it what it need not know. */
const ofTheGateway = {
  LD_PRELOAD: "libm.so.6",
  LD_LIBRARY_PATH: "/nowhere",
  NODE_OPTIONS: "--no-warnings",
  NODE_EXTRA_CA_CERTS: "/nowhere",
  BUN_OPTIONS: "--smol",
  BUN_INSPECT: "",
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
  DENO_DIR: "/nowhere",
  PYTHONPATH: "/nowhere",
  HTTPS_PROXY: "http://127.0.0.1:9",
  AWS_SECRET_ACCESS_KEY: "of-the-gateway",
  LANG: "C",
  LC_ALL: "C",
};
const configured = { NODE_OPTIONS: "--title=$(touch made)", PLAIN: "a=b;touch made\n", EMPTY: "" };

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGateway(
    {
      capabilities: { enabled: false },
      // What would refuse or clean arguments is off: that commands in them are data must not depend on it.
      security: { sanitize_input: false, firewall: { enabled: false } },
      backends: {
        listed: { command: [...backendCommand(), ...hostileArguments], env: configured },
        separate: { command: backendCommand()[0], args: [...backendCommand().slice(1), ...hostileArguments] },
        "name; touch made": { command: `${backendCommand().join(" ")} ";touch made" '$(touch made)' a\\ b` },
      },
    },
    { env: ofTheGateway },
  );
});
after(() => gateway?.stop());

async function report(server: string, tool: "argv" | "environment"): Promise<Loose> {
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  const { message } = await client.invoke(server, tool);
  assert.equal(message.result?.isError, undefined, JSON.stringify(message));
  return JSON.parse(message.result.content[0].text);
}

for (const [server, expected] of [
  ["listed", received],
  ["separate", received],
  ["name; touch made", [";touch made", "$(touch made)", "a b"]],
] as const) {
  test(`T12: arguments of backend "${server}" arrive byte for byte, and no shell ever read them`, async () => {
    assert.deepEqual(await report(server, "argv"), expected);
    assert.deepEqual(
      readdirSync(gateway.folder).filter((name) => name.startsWith("made")),
      [],
    );
  });
}

test("T12: a tool name or argument full of commands is data on the way to the backend", async () => {
  const client = await HttpClient.open(`${gateway.url}/mcp/listed`);
  for (const hostile of hostileArguments) {
    const { message } = await client.tool("echo", { token: hostile });
    assert.equal(message.result.content[0].text, hostile);
  }
  assert.ok(!existsSync(`${gateway.folder}/made`));
});

test("T12: the environment of a backend is PATH, HOME, TMPDIR, LANG and what the configuration names", async () => {
  const { PATH, HOME, TMPDIR, ...rest } = await report("listed", "environment");
  assert.ok(PATH && HOME === gateway.folder && TMPDIR);
  assert.deepEqual(rest, { LANG: "C", ...configured });
  const without = await report("separate", "environment");
  assert.deepEqual(Object.keys(without).sort(), ["HOME", "LANG", "PATH", "TMPDIR"]);
});

/**
 * T23: characters that a reader does not see, or a terminal obeys. What the gateway says itself shows them, arguments lose
 * them unless their backend is passed through, and a name is found only by exactly that name.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post } from "./clients.ts";

const hidden: Record<string, string> = {
  "tag letters": "\u{e0068}\u{e0069}",
  "a cancel tag": "\u{e007f}",
  "a right-to-left override": "\u202e",
  "an isolate": "\u2066",
  "a zero-width space": "\u200b",
  "a zero-width joiner": "\u200d",
  "a word joiner": "\u2060",
  "a byte order mark": "\ufeff",
  "a soft hyphen": "\u00ad",
  "a Mongolian separator": "\u180e",
  "a Hangul filler": "\u3164",
  "a half-width filler": "\uffa0",
  "variation selectors": "\ufe0f\ufe0e\ufe0f",
  "supplementary variation selectors": "\u{e0100}\u{e0101}",
  "a line separator": "\u2028",
  "an ANSI colour": "\u001b[31m",
  "an ANSI title": "\u001b]0;owned\u0007",
  "a C1 sequence": "\u009b31m",
  "a backspace": "\b",
  "a carriage return": "\r",
  "a delete": "\u007f",
};
/** Every one of them, and nothing else. */
const any =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e01ef}]|[\ufe00-\ufe0f]{2}/u;

const names = Object.entries(hidden).map(([what, text], at) => ({ what, text, tool: `tool${at}${text}end` }));
const lookalikes = ["search", "se\u0430rch", "\uff53earch", "file", "\ufb01le", "kelvin", "\u212aelvin"];
const offer = {
  tools: [
    ...names.map(({ tool, text }) => ({
      name: tool,
      title: `Title${text}`,
      description: `Description${text}of it`,
      inputSchema: { type: "object", properties: { [`p${text}`]: { type: "string", description: text } } },
    })),
    ...["echo", "say", "refuse"].map((name) => ({ name, inputSchema: { type: "object" } })),
    ...lookalikes.map((name) => ({ name, inputSchema: { type: "object" } })),
  ],
};

let gateway: GatewayProcess;
let aggregate: HttpClient;
let alone: HttpClient;
before(async () => {
  gateway = await startGateway(
    {
      capabilities: { enabled: false },
      security: { tool_integrity: { enabled: false } },
      failsafe: { circuit_breaker: { failure_threshold: 1_000 }, rate_limit: { enabled: false } },
      backends: {
        hiding: {
          command: backendCommand("--record=record.jsonl", `--offer=${JSON.stringify(offer)}`),
          passthrough: true,
        },
        latin: { command: backendCommand('--offer={"tools":["pay"]}') },
        "l\u0430tin": { command: backendCommand('--offer={"tools":["p\u0430y"]}') },
      },
    },
    { args: ["--log-level", "trace"] },
  );
  aggregate = await HttpClient.open(`${gateway.url}/mcp`);
  alone = await HttpClient.open(`${gateway.url}/mcp/hiding`);
  for (const server of ["hiding", "latin", "l\u0430tin"]) await aggregate.tool("gateway_list_tools", { server });
});
after(() => gateway?.stop());

function received(): Loose[] {
  const path = join(gateway.folder, "record.jsonl");
  if (!existsSync(path)) return [];
  const messages = readFileSync(path, "utf8").trim().split("\n");
  return messages.map((line) => JSON.parse(line)).filter(({ method }) => method === "tools/call");
}

/** Every string inside. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}

test("T23: a backend that is passed through gets and gives every hidden character in its place", async () => {
  assert.deepEqual((await alone.request("tools/list")).message.result.tools, offer.tools);
  const listed = await aggregate.tool("gateway_list_tools", { server: "hiding" });
  const { tools } = JSON.parse(listed.message.result.content[0].text);
  assert.deepEqual(
    tools.map(({ name }: Loose) => name),
    offer.tools.map(({ name }) => name),
  );
  for (const { what, text, tool } of names) {
    const args = { [`p${text}`]: text, inner: [`${text}a${text}`] };
    for (const [via, asked] of [
      ["alone", alone.tool(tool, args)],
      ["invoke", aggregate.invoke("hiding", tool, args)],
    ] as const) {
      const { message } = await asked;
      assert.deepEqual(received().at(-1).params, { name: tool, arguments: args }, `${what} ${via}, sent`);
      assert.deepEqual(JSON.parse(message.result.content[0].text), { name: tool, arguments: args }, `${what} ${via}`);
    }
    assert.equal(
      (await aggregate.invoke("hiding", "echo", { token: text })).message.result.content[0].text,
      text,
      what,
    );
  }
});

test("T23: errors of the gateway show hidden characters instead of having them", async () => {
  for (const { what, text } of names) {
    const replies = [
      await aggregate.invoke("hiding", `no${text}tool`),
      await aggregate.invoke("hiding", "tool0"),
      await aggregate.invoke(`no${text}server`, "x"),
      await aggregate.tool("gateway_invoke", { tool: `no${text}tool` }),
      await aggregate.tool("gateway_invoke", { server: "hiding", tool: "x", [`a${text}`]: 1 }),
      await aggregate.tool(`no${text}tool`),
      await aggregate.tool("gateway_list_tools", { server: `no${text}server` }),
      await aggregate.request(`no${text}method`),
      await aggregate.request("prompts/get", { name: `no${text}prompt` }),
      await aggregate.request("tools/list", { cursor: text }),
      await aggregate.invoke("hiding", "refuse", { message: `said${text}so` }),
      await post(`${gateway.url}/mcp/no${encodeURIComponent(text)}`, initializeMessage()),
    ];
    for (const { message, body } of replies) {
      // What a backend itself answered is in `rpc`, as it came.
      if (message.result) delete message.result._meta["mcp-gateway/error"].rpc;
      assert.ok(message.error || message.result.isError, `${what}: ${body}`);
      for (const shown of strings(message)) assert.doesNotMatch(shown, any, `${what}: ${body}`);
    }
  }
});

test("T23: log lines show hidden characters, and none of them begins a line of its own", async () => {
  for (const { text } of names) {
    await aggregate.invoke("hiding", `${text}2026-01-01T00:00:00.000Z ERROR forged`);
    await aggregate.invoke("hiding", "say", { text: `${text}stderr${text}` });
  }
  await until(() => gateway.stderr().split("stderr").length > names.length);
  const log = gateway.stderr();
  for (const line of log.trimEnd().split("\n")) {
    assert.doesNotMatch(line, any);
    assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (TRACE|DEBUG|INFO|WARN|ERROR) /);
  }
  assert.match(log, /\\udb40\\udc68\\udb40\\udc69stderr/);
  assert.doesNotMatch(log, /^2026-01-01T00:00:00.000Z/m);
});

test("T23: a name that looks like another is another", async () => {
  const hits = async (asked: ReturnType<HttpClient["tool"]>) => {
    const { message } = await asked;
    return message.error || message.result.isError ? undefined : JSON.parse(message.result.content[0].text).name;
  };
  for (const name of [...lookalikes, ...names.map(({ tool }) => tool)]) {
    assert.equal(await hits(aggregate.invoke("hiding", name)), name);
    assert.equal(await hits(alone.tool(name)), name);
  }
  const table: [server: string, tool: string, hit: string | undefined][] = [
    ["latin", "pay", "pay"],
    ["l\u0430tin", "p\u0430y", "p\u0430y"],
    ["latin", "p\u0430y", undefined],
    ["l\u0430tin", "pay", undefined],
    ["la\u200btin", "pay", undefined],
    ["LATIN", "pay", undefined],
    ["hiding", "sear\u200bch", undefined],
    ["hiding", "SEARCH", undefined],
    ["hiding", "\uff53\uff45arch", undefined],
    ["hiding", "tool0end", undefined],
    ["hiding", "search\ufeff", undefined],
    ["hiding", "search ", undefined],
  ];
  for (const [server, tool, hit] of table)
    assert.equal(await hits(aggregate.invoke(server, tool)), hit, JSON.stringify([server, tool]));
  // Without a server, the name decides, and is no less exact.
  assert.equal(await hits(aggregate.tool("gateway_invoke", { tool: "p\u0430y" })), "p\u0430y");
  assert.equal(await hits(aggregate.tool("gateway_invoke", { tool: "pay" })), "pay");
  assert.equal(await hits(aggregate.tool("gateway_invoke", { tool: "latin:p\u0430y" })), undefined);
});

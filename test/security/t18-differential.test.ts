/**
 * T18: two parsers that read one message differently let through what was never inspected. So keys are matched exactly,
 * and the backend gets what the gateway decided on, written anew.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post, StdioClient } from "./clients.ts";

const key = "key-for-allowed-only-00";
/** The key may call `allowed` alone, so that what the gateway decides shows. */
const config = {
  capabilities: { enabled: false },
  auth: { enabled: true, api_keys: [{ key, allowed_tools: ["allowed"] }] },
  backends: {
    recorder: { command: backendCommand("--record=record.jsonl", '--offer={"tools":["allowed","forbidden"]}') },
  },
};

let gateway: GatewayProcess;
let onAll: HttpClient;
let onOne: HttpClient;
before(async () => {
  gateway = await startGateway(config);
  const headers = { authorization: `Bearer ${key}` };
  onAll = await HttpClient.open(`${gateway.url}/mcp`, headers);
  onOne = await HttpClient.open(`${gateway.url}/mcp/recorder`, headers);
  await onOne.tool("allowed");
});
after(() => gateway?.stop());

/** Tool calls the backend got, as it got them. */
function calls(folder: string): Loose[] {
  const lines = readFileSync(join(folder, "record.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => ({ line, ...JSON.parse(line) })).filter(({ method }) => method === "tools/call");
}

const direct = (params: string) => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`;
const invoke = (args: string) => direct(`{"name":"gateway_invoke","arguments":${args}}`);
const good = '"method":"tools/call","params":{"name":"allowed","arguments":{"a":1}}';

/** What the backend is to get of each: a tool's name, or nothing. */
const messages: [what: string, on: "one" | "all", message: string, tool: string | undefined][] = [
  [
    "Method beside method",
    "one",
    `{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call","params":{"name":"forbidden"}}`,
    undefined,
  ],
  ["Method alone", "one", `{"jsonrpc":"2.0","id":7,"Method":"tools/call","params":{"name":"allowed"}}`, undefined],
  ["paramſ beside params", "one", `{"jsonrpc":"2.0","id":7,${good},"paramſ":{"name":"forbidden"}}`, "allowed"],
  ["paramſ alone", "one", `{"jsonrpc":"2.0","id":7,"method":"tools/call","paramſ":{"name":"allowed"}}`, undefined],
  ["PARAMS beside params", "one", `{"jsonrpc":"2.0","id":7,${good},"PARAMS":{"name":"forbidden"}}`, "allowed"],
  ["method twice", "one", `{"jsonrpc":"2.0","id":7,"method":"ping",${good}}`, undefined],
  ["params twice", "one", `{"jsonrpc":"2.0","id":7,${good},"params":{"name":"forbidden"}}`, undefined],
  [
    "params twice by an escape",
    "one",
    `{"jsonrpc":"2.0","id":7,${good},"par\\u0061ms":{"name":"forbidden"}}`,
    undefined,
  ],
  ["name twice, forbidden last", "one", direct('{"name":"allowed","name":"forbidden"}'), undefined],
  ["name twice, allowed last", "one", direct('{"name":"forbidden","name":"allowed"}'), "allowed"],
  ["name twice by an escape", "one", direct('{"name":"forbidden","n\\u0061me":"allowed"}'), "allowed"],
  ["Name beside name", "one", direct('{"name":"allowed","Name":"forbidden"}'), "allowed"],
  ["Name alone", "one", direct('{"Name":"allowed"}'), undefined],
  ["a name that is a list", "one", direct('{"name":["allowed"]}'), undefined],
  ["a name of another case", "one", direct('{"name":"Allowed"}'), undefined],
  ["a name with a long s", "one", direct('{"name":"allowed\u017f"}'), undefined],
  ["a name with a Kelvin sign", "all", invoke('{"server":"recorder","tool":"\u212aelvin"}'), undefined],
  ["a server in another case", "all", invoke('{"server":"Recorder","tool":"allowed"}'), undefined],
  ["a name with a NUL after it", "one", direct('{"name":"allowed\\u0000"}'), undefined],
  ["a name with a space after it", "one", direct('{"name":"allowed "}'), undefined],
  [
    "invoke with tool twice, forbidden last",
    "all",
    invoke('{"server":"recorder","tool":"allowed","tool":"forbidden"}'),
    undefined,
  ],
  [
    "invoke with tool twice, allowed last",
    "all",
    invoke('{"server":"recorder","tool":"forbidden","tool":"allowed"}'),
    "allowed",
  ],
  [
    "invoke with Tool beside tool",
    "all",
    invoke('{"server":"recorder","tool":"allowed","Tool":"forbidden","arguments":{}}'),
    "allowed",
  ],
  ["invoke with a prefix and a server", "all", invoke('{"server":"recorder","tool":"recorder:allowed"}'), "allowed"],
  ["invoke with a prefix of another", "all", invoke('{"server":"recorder","tool":"other:forbidden"}'), undefined],
  ["invoke by prefix alone", "all", invoke('{"tool":"recorder:forbidden"}'), undefined],
  [
    "invoke with server and backend that differ",
    "all",
    invoke('{"server":"recorder","backend":"other","tool":"allowed"}'),
    "allowed",
  ],
  [
    "invoke with arguments as text",
    "all",
    invoke('{"server":"recorder","tool":"allowed","arguments":"{\\"name\\":\\"forbidden\\"}"}'),
    "allowed",
  ],
  ["names of every object as a server", "all", invoke('{"server":"__proto__","tool":"allowed"}'), undefined],
  ["names of every object as a tool", "all", direct('{"name":"toString"}'), undefined],
  ["names of every object as a method", "all", '{"jsonrpc":"2.0","id":7,"method":"__proto__"}', undefined],
  ["a prototype in the parameters", "one", direct('{"__proto__":{"name":"allowed"}}'), undefined],
  ["a prototype over the parameters", "one", direct('{"name":"allowed","__proto__":{"name":"forbidden"}}'), "allowed"],
];

for (const [what, on, message, tool] of messages) {
  test(`T18: ${what}: the backend gets ${tool === undefined ? "nothing" : `"${tool}"`}, as decided`, async () => {
    const before = calls(gateway.folder).length;
    const reply = await (on === "one" ? onOne : onAll).send(message);
    assert.ok(reply.status < 500, reply.body);
    const isRefused = reply.message.error !== undefined || reply.message.result?.isError === true;
    const isPing = Object.keys(reply.message.result ?? { none: 0 }).length === 0;
    assert.equal(isRefused || isPing, tool === undefined, reply.body);
    const got = calls(gateway.folder).slice(before);
    assert.deepEqual(
      got.map(({ params }) => params.name),
      tool === undefined ? [] : [tool],
    );
    // Nothing that another parser could read otherwise is left in it.
    for (const { line } of got) {
      assert.deepEqual(Object.keys(JSON.parse(line)), ["jsonrpc", "id", "method", "params"]);
      assert.equal(line.match(/"name":/g)?.length, what.includes("as text") || what.includes("over the") ? 2 : 1, line);
    }
  });
}

test("T18: names that every object has are no backends", async () => {
  const headers = { authorization: `Bearer ${key}` };
  for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
    assert.equal((await post(`${gateway.url}/mcp/${name}`, initializeMessage(), headers)).status, 404, name);
    const { message, body } = await onAll.tool("gateway_list_tools", { server: name });
    assert.equal(message.result.isError, true, body);
  }
});

test("T18: the same at the stdio door", async () => {
  const { auth: _none, ...open } = config;
  const { folder, configPath } = writeConfig(open);
  const client = new StdioClient(configPath, folder);
  try {
    await client.ask(initializeMessage(0), 0);
    for (const [what, on, message, tool] of messages.filter(([, , text]) => !text.includes("forbidden"))) {
      // There is no address of one backend here, so the call goes by the meta-tool or fails by its name.
      const isRefused = await client
        .ask(message, what.includes("twice") && on === "one" ? null : 7)
        .then(({ error, result }) => error !== undefined || result?.isError === true);
      assert.equal(isRefused, on === "one" || tool === undefined, what);
    }
    const twice = invoke('{"server":"recorder","tool":"forbidden","tool":"allowed"}');
    await client.ask(twice, 7);
    assert.deepEqual(calls(folder).at(-1).params.name, "allowed");
    assert.equal((await client.ask(messages[5]?.[2] as string, null)).error.code, -32_600);
  } finally {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("T18: arguments arrive as the gateway read them, vendor members and order kept", async () => {
  const args =
    '{"z":1,"a":{"__proto__":{"x":1},"constructor":2,"é":"é","n":1.5e3,"e":"\\u000a\\ud83d\\ude00"},"z2":[]}';
  const { message } = await onOne.send(direct(`{"name":"allowed","arguments":${args},"vendor":{"kept":true}}`));
  const expected = JSON.stringify({ ...JSON.parse(`{"name":"allowed","arguments":${args}}`), vendor: { kept: true } });
  const got = JSON.parse(message.result.content[0].text);
  assert.deepEqual(JSON.parse(JSON.stringify(got.arguments)), JSON.parse(args));
  assert.equal(JSON.stringify(got.arguments), JSON.stringify(JSON.parse(args)));
  assert.deepEqual(Object.keys(got).sort(), Object.keys(JSON.parse(expected)).sort());
});

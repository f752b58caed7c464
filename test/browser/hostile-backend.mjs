/**
 * A server whose every text tries to become markup or to hide (T6, T23); `--tools=N` adds plain ones. Its `fields` takes
 * every kind of argument and answers with what it got.
 */
import { createInterface } from "node:readline";

export const attack = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';
const count = Number(process.argv.find((argument) => argument.startsWith("--tools="))?.slice(8) ?? 0);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const schema = { type: "object", properties: {} };
const tools = [
  {
    name: attack,
    title: attack,
    description: `${attack} javascript:globalThis.hacked=1 \u202egnp.exe \u001b[31mred`,
    inputSchema: {
      type: "object",
      properties: { [attack]: { type: "string", description: attack, enum: [attack], default: attack } },
    },
  },
  {
    name: "fields",
    description: "Answers with its arguments",
    inputSchema: {
      type: "object",
      properties: {
        word: { type: "string", description: "A word" },
        number: { type: "integer", minimum: 1 },
        flag: { type: "boolean" },
        choice: { enum: ["one", "two"] },
        list: { type: "array", items: { type: "string" } },
      },
      required: ["word"],
    },
    annotations: { readOnlyHint: true },
  },
  { name: "hang", description: "Never answers", inputSchema: schema },
  ...Array.from({ length: count }, (_, at) => ({
    name: `tool_${at}`,
    description: `Plain tool ${at}`,
    inputSchema: schema,
  })),
];
process.stderr.write(`${attack} on stderr\n`);

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize")
    send({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: attack, version: attack },
      },
    });
  else if (method === "tools/list") send({ id, result: { tools } });
  else if (method === "tools/call" && params.name === "hang") return;
  else if (method === "tools/call") {
    const text = params.name === "fields" ? JSON.stringify(params.arguments) : attack;
    send({ id, result: { content: [{ type: "text", text }], isError: params.name === attack } });
  } else if (id !== undefined) send({ id, error: { code: -32601, message: attack } });
});

/**
 * The MCP server behind the gateway in these tests: notes every message it gets, and does what the called tool says.
 * `answer` serves a test's own HTTP server too; run as a program it speaks stdio. Options: `--record=FILE`,
 * `--offer=JSON` with `tools`, `resources`, `resourceTemplates` and `prompts` to list, `--offer-file=FILE` with the same,
 * read anew for every message.
 */
import { appendFileSync, readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

type Fields = Record<string, unknown>;
type Progress = (fields: Fields) => void;
// biome-ignore lint/suspicious/noExplicitAny: arguments of a test's own call
type Args = any;
type Tool = (args: Args, progress: Progress) => Fields | Promise<Fields>;

/** What the backend lists; a tool may be just a name. */
export interface Offer {
  readonly tools?: readonly (string | Fields)[];
  readonly resources?: readonly Fields[];
  readonly resourceTemplates?: readonly Fields[];
  readonly prompts?: readonly Fields[];
  /** Lists one more tool, `bomb`, whose schema is nested as deep as this. */
  readonly schemaDepth?: number;
}

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const text = (value: unknown) => ({
  content: [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }],
});
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const schema = { type: "object" };

const environmentText = () =>
  Object.entries(process.env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/** JSON text that may be deeper than JSON.stringify can go. */
export function nested(depth: number, open: string, core: string, close: string): string {
  return open.repeat(depth) + core + close.repeat(depth);
}

/** What `deep` with `{ depth, as }` sends: the depth is in its result, or in what comes before that. */
function deepMessages(id: Args, { arguments: { depth, as }, _meta }: Args): string[] {
  const value = nested(depth, "[", "", "]");
  const result = `{"jsonrpc":"2.0","id":${id},"result":{"content":[]}}`;
  const token = JSON.stringify(_meta?.progressToken ?? "none");
  const note = (method: string, rest: string) =>
    `{"jsonrpc":"2.0","method":"notifications/${method}","params":{${rest}}}`;
  switch (as) {
    case "progress":
      return [note("progress", `"progressToken":${token},"progress":1,"deep":${value}`), result];
    case "log":
      return [note("message", `"level":"error","data":${value}`), result];
    case "request":
      return [`{"jsonrpc":"2.0","id":"deep","method":"sampling/createMessage","params":{"deep":${value}}}`, result];
    case "error":
      return [`{"jsonrpc":"2.0","id":${id},"error":{"code":-1,"message":"deep","data":${value}}}`];
    case "spaced result":
      return [`{"jsonrpc": "2.0", "id": ${id}, "result": {"content": [], "deep": ${value}}}`];
    default:
      return [`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"deep":${value}}}`];
  }
}

/** Tools by name; all others answer with what they were called with. */
const tools: Record<string, Tool> = {
  async echo(args, progress) {
    for (let step = 1; step <= (args.steps ?? 0); step++) {
      await sleep(Math.random() * 3);
      progress({ progress: step, message: args.token });
    }
    await sleep(Math.random() * (args.maxDelayMs ?? 0));
    return text(args.token);
  },
  hang: () => new Promise(() => {}),
  environment: () => text(process.env),
  argv: () => text(process.argv.slice(2)),
  say(args) {
    writeSync(2, `${args.text}\n`);
    return text("said");
  },
  complain() {
    writeSync(2, environmentText());
    return text("complained");
  },
  die() {
    writeSync(2, environmentText());
    process.exit(7);
  },
  give: ({ result }) => result,
  refuse: ({ message }) => Promise.reject({ code: -32_050, message: message ?? environmentText() }),
};

/** @param send takes the text of one message */
export async function answer(message: Args, send: (text: string) => void, offer: Offer = {}): Promise<void> {
  const { id, method, params = {} } = message;
  if (id === undefined || method === undefined) return;
  const give = (result: Fields) => send(JSON.stringify({ jsonrpc: "2.0", id, result }));
  const {
    tools: listed = Object.keys(tools),
    resources = [],
    resourceTemplates = [],
    prompts = [],
    schemaDepth = 0,
  } = offer;
  switch (method) {
    case "initialize":
      return give({
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
        serverInfo: { name: "backend", version: "1" },
      });
    case "tools/list": {
      const list = listed.map((tool) =>
        JSON.stringify(typeof tool === "string" ? { name: tool, inputSchema: schema } : tool),
      );
      if (schemaDepth > 0)
        list.push(`{"name":"bomb","inputSchema":${nested(schemaDepth, '{"type":"object","not":', "{}", "}")}}`);
      return send(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[${list}]}}`);
    }
    case "resources/list":
      return give({ resources });
    case "resources/templates/list":
      return give({ resourceTemplates });
    case "prompts/list":
      return give({ prompts });
    case "resources/read":
      return give({ contents: [{ uri: params.uri, text: `content of ${params.uri}` }] });
    case "prompts/get":
      return give({ messages: [{ role: "user", content: { type: "text", text: params.name } }] });
    case "completion/complete":
      return give({ completion: { values: [JSON.stringify(params.ref)] } });
    case "tools/call": {
      if (params.name === "deep") return deepMessages(id, params).forEach(send);
      const progressToken = params._meta?.progressToken;
      const progress: Progress = (fields) => {
        if (progressToken === undefined) return;
        const note = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, ...fields } };
        send(JSON.stringify(note));
      };
      try {
        const own = Object.hasOwn(tools, params.name) ? tools[params.name] : undefined;
        const run: Tool = own ?? (() => text(params));
        const result = await run(params.arguments ?? {}, progress);
        return give(result);
      } catch (error) {
        return send(JSON.stringify({ jsonrpc: "2.0", id, error }));
      }
    }
    default:
      return give({});
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const record = option("record");
  const offerFile = option("offer-file");
  const offerNow = () => JSON.parse(offerFile ? readFileSync(offerFile, "utf8") : (option("offer") ?? "{}"));
  let rest = "";
  process.stdin.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (record) appendFileSync(record, `${line}\n`);
      void answer(JSON.parse(line), (message) => process.stdout.write(`${message}\n`), offerNow());
    }
  });
}

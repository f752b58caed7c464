/**
 * The yardstick for stdio backends: the shortest program that offers one over HTTP, as the gateway does. All it adds is
 * an id of its own per request, so that many clients can share the backend. `bun relay-stdio.ts CMD ARGS…` prints its address.
 */
const child = Bun.spawn(process.argv.slice(2), { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
const waiting = new Map<number, { id: unknown; resolve: (response: Response) => void }>();
let lastId = 0;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    const message = (await request.json()) as { id?: unknown };
    const relayId = ++lastId;
    child.stdin.write(`${JSON.stringify(message.id === undefined ? message : { ...message, id: relayId })}\n`);
    child.stdin.flush();
    if (message.id === undefined) return new Response(null, { status: 202 });
    return new Promise<Response>((resolve) => waiting.set(relayId, { id: message.id, resolve }));
  },
});
console.log(`http://127.0.0.1:${server.port}/mcp`);
let rest = "";
for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const message = JSON.parse(line) as { id: number };
    const { id, resolve } = waiting.get(message.id)!;
    waiting.delete(message.id);
    resolve(Response.json({ ...message, id }));
  }
}

export {};

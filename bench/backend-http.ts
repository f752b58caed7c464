/** A raw MCP server over HTTP that costs next to nothing itself. Prints its address. `echo` answers two bytes, `blob {bytes}` as many as asked. */
import { answer } from "./backend-answers.ts";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const text = answer(await request.text());
    if (text === undefined) return new Response(null, { status: 202 });
    return new Response(text, { headers: { "content-type": "application/json" } });
  },
});
console.log(`http://127.0.0.1:${server.port}/mcp`);

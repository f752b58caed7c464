/** The yardstick for HTTP backends: the shortest reverse proxy one would write. `bun proxy-fetch.ts URL` prints its address. */
const target = process.argv[2]!;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    const { method, headers, body } = request;
    const response = await fetch(target, { method, headers, body });
    return new Response(response.body, { status: response.status, headers: response.headers });
  },
});
console.log(`http://127.0.0.1:${server.port}/mcp`);

export {};

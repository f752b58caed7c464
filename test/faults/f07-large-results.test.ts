import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventStream } from "../fixtures/raw-http-server.ts";
import { httpClient } from "./client.ts";
import { bystander, peakRssMb, rawBackend, unlimited, withGateway } from "./gateway.ts";
import { pour, type Respond, withHttpBackend } from "./http-backend.ts";

const bytes = 100_000_000;
const limit = 16_777_216;
const piece = "x".repeat(65_536);
const chunkPiece = `${piece.length.toString(16)}\r\n${piece}\r\n`;

const jsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const before = (id: number) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
const after = '"}]}}';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

const httpAnswers: Record<string, Respond> = {
  "with its length": (socket, id) => {
    const pieces = Math.ceil(bytes / piece.length) * piece.length;
    const length = before(id).length + pieces + after.length;
    socket.write(`${jsonHead}Content-Length: ${length}\r\n\r\n${before(id)}`);
    pour(socket, piece, pieces, () => socket.write(after));
  },
  chunked: (socket, id) => {
    socket.write(`${jsonHead}Transfer-Encoding: chunked\r\n\r\n${chunk(before(id))}`);
    pour(socket, chunkPiece, bytes, () => socket.write(`${chunk(after)}0\r\n\r\n`));
  },
  "until the connection ends": (socket, id) => {
    socket.write(`${jsonHead}\r\n${before(id)}`);
    pour(socket, piece, bytes, () => socket.end(after));
  },
  "as one event": (socket, id) => {
    socket.write(`${eventStream}${chunk(`data: ${before(id)}`)}`);
    pour(socket, chunkPiece, bytes, () => socket.write(`${chunk(`${after}\n\n`)}0\r\n\r\n`));
  },
};

describe("F7 result of 100 MB", () => {
  test("over stdio: a capped error that names the limit, others are served, the process lives on", () =>
    withGateway(
      { failsafe: unlimited, backends: { vast: { ...rawBackend(), timeout: "30s" }, fine: rawBackend() } },
      async (gateway) => {
        const vast = await httpClient(gateway, "/mcp/vast");
        const stop = bystander(await httpClient(gateway, "/mcp/fine"));
        const pid = (await vast.call("pid")).text;
        const peak = peakRssMb(gateway.child.pid!);
        for (const idFirst of [true, false]) {
          const { code, text } = await vast.call("big", { bytes, idFirst });
          assert.equal(code, "RESULT_TOO_LARGE", text);
          assert.ok(text.includes(`"vast" answered with more than ${limit} bytes, the "max_result_size"`), text);
        }
        assert.ok(peak() < 250, `${peak()} MB at most`);
        await stop();
        assert.equal((await vast.call("pid")).text, pid);
      },
    ));

  for (const [how, answer] of Object.entries(httpAnswers))
    test(`over HTTP, ${how}: a capped error that names the limit, others are served, the next call works`, () =>
      withHttpBackend({ vast: answer }, async ({ url, calls }) =>
        withGateway(
          { failsafe: unlimited, backends: { vast: { http_url: url }, fine: rawBackend() } },
          async (gateway) => {
            const vast = await httpClient(gateway, "/mcp/vast");
            const stop = bystander(await httpClient(gateway, "/mcp/fine"));
            const peak = peakRssMb(gateway.child.pid!);
            const { code, text } = await vast.call("vast");
            assert.equal(code, "RESULT_TOO_LARGE", text);
            assert.match(text, new RegExp(`"vast".*max_result_size.*${limit}|"vast".*${limit}.*max_result_size`));
            assert.ok(peak() < 250, `${peak()} MB at most`);
            assert.equal((await vast.call("echo", { text: "and now" })).text, "and now");
            assert.equal(calls("vast"), 1);
            await stop();
          },
        ),
      ));

  test("below a raised limit it arrives whole", () =>
    withGateway(
      { backends: { vast: { ...rawBackend(), max_result_size: 200_000_000 }, fine: rawBackend() } },
      async (gateway) => {
        const vast = await httpClient(gateway, "/mcp/vast");
        const stop = bystander(await httpClient(gateway, "/mcp/fine"));
        const { failed, result } = await vast.call("big", { bytes: 20_000_000, idFirst: true });
        assert.ok(!failed);
        assert.ok((result["text"] as string).length >= 20_000_000);
        await stop();
      },
    ));
});

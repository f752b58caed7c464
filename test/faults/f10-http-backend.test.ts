import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chunk, eventStream, json, lastChunk, status } from "../fixtures/raw-http-server.ts";
import { httpClient } from "./client.ts";
import { bystander, health, unlimited, withGateway } from "./gateway.ts";
import { pour, type Respond, textAnswer, withHttpBackend } from "./http-backend.ts";

interface Fault {
  readonly respond: Respond;
  readonly code: "UPSTREAM_CLOSED" | "UPSTREAM_PROTOCOL" | "UPSTREAM_START_FAILED" | "RESULT_TOO_LARGE" | "TIMEOUT";
  /** Of the error, after the name of the server. */
  readonly says: RegExp;
  /** The message was whole: its connection may be used again. */
  readonly mayKeepConnection?: true;
}

/** Must never come out anywhere; an error may quote the first 200 characters of what it complains about. */
const marker = "PARTIAL";
const answer = (id: number) => textAnswer(id, `${" ".repeat(300)}${marker}`);
const half = (text: string) => text.slice(0, text.indexOf(marker) + marker.length);
const typed = (type: string, body: string) =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const claims = (length: number) =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
const hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
const forever = Number.POSITIVE_INFINITY;

const faults: Record<string, Fault> = {
  "reset in the middle of the body": {
    respond: (socket, id) => {
      const body = answer(id);
      socket.write(claims(body.length) + half(body), () => setTimeout(() => socket.resetAndDestroy(), 20));
    },
    code: "UPSTREAM_CLOSED",
    says: /closed the connection/,
  },
  "end in the middle of the body": {
    respond: (socket, id) => void socket.end(claims(1_000) + half(answer(id))),
    code: "UPSTREAM_CLOSED",
    says: /closed the connection/,
  },
  "hang-up without a word": {
    respond: (socket) => void socket.destroy(),
    code: "UPSTREAM_CLOSED",
    says: /closed the connection/,
  },
  "chunk cut short": {
    respond: (socket, id) => {
      const headers = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.end(`${headers}fff\r\n${half(answer(id))}`);
    },
    code: "UPSTREAM_CLOSED",
    says: /closed the connection/,
  },
  "chunk longer than it says": {
    respond: (socket, id) => {
      const headers = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.write(`${headers}5\r\n${answer(id)}\r\n${lastChunk}`);
    },
    code: "UPSTREAM_PROTOCOL",
    says: /a chunk that is not of its length/,
  },
  "Content-Length too small": {
    respond: (socket, id) => void socket.write(claims(40) + answer(id)),
    code: "UPSTREAM_PROTOCOL",
    says: /more bytes than the length of the answer allows/,
  },
  "Content-Length beside Transfer-Encoding": {
    respond: (socket, id) => void socket.write(json(answer(id), "Transfer-Encoding: chunked\r\n")),
    code: "UPSTREAM_PROTOCOL",
    says: /both Content-Length and Transfer-Encoding/,
  },
  "flood of interim answers": {
    respond: (socket) => pour(socket, hints.repeat(100), forever),
    code: "UPSTREAM_PROTOCOL",
    says: /too many informational responses/,
  },
  "head without end": {
    respond: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      pour(socket, "X-More: and more\r\n".repeat(100), forever);
    },
    code: "UPSTREAM_PROTOCOL",
    says: /a head of more than/,
  },
  "no HTTP at all": {
    respond: (socket) => void socket.write("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    code: "UPSTREAM_PROTOCOL",
    says: /something that is not an HTTP\/1.1 response/,
  },
  "page of HTML": {
    respond: (socket) => void socket.write(typed("text/html", "<html>Welcome!</html>")),
    code: "UPSTREAM_PROTOCOL",
    says: /content type "text\/html" where JSON was due: <html>Welcome!/,
    mayKeepConnection: true,
  },
  "status 200 and nothing else": {
    respond: (socket) => void socket.write(status(200)),
    code: "UPSTREAM_PROTOCOL",
    says: /HTTP 200 and nothing else/,
    mayKeepConnection: true,
  },
  "status 500 with a page": {
    respond: (socket) => void socket.write(status(500, "<h1>Oops</h1>")),
    code: "UPSTREAM_PROTOCOL",
    says: /HTTP 500: <h1>Oops/,
    mayKeepConnection: true,
  },
  "status 503": {
    respond: (socket) => void socket.write(status(503, "later", "Retry-After: 7\r\n")),
    code: "UPSTREAM_START_FAILED",
    says: /HTTP 503: later.*Retry after 7 s/,
    mayKeepConnection: true,
  },
  "redirect to itself": {
    respond: (socket) => void socket.write(status(307, "", "Location: /mcp\r\n")),
    code: "UPSTREAM_PROTOCOL",
    says: /redirect/i,
    mayKeepConnection: true,
  },
  "half of the JSON": {
    respond: (socket, id) => void socket.write(json(half(answer(id)))),
    code: "UPSTREAM_PROTOCOL",
    says: /JSON/,
    mayKeepConnection: true,
  },
  "bytes that are not UTF-8": {
    respond: (socket, id) => {
      const [start, end] = answer(id).split(marker) as [string, string];
      const body = Buffer.concat([Buffer.from(start), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(end)]);
      socket.write(Buffer.concat([Buffer.from(claims(body.length)), body]));
    },
    code: "UPSTREAM_PROTOCOL",
    says: /UTF-8/,
    mayKeepConnection: true,
  },
  "answer to another request": {
    respond: (socket, id) => void socket.write(json(answer(id + 1_000))),
    code: "UPSTREAM_PROTOCOL",
    says: /answered request \d+ where the answer to \d+ was due/,
    mayKeepConnection: true,
  },
  "stream cut in the middle of an event": {
    respond: (socket, id) =>
      void socket.end(eventStream + chunk(`event: message\ndata: ${half(answer(id))}`) + lastChunk),
    code: "UPSTREAM_CLOSED",
    says: /in the middle of an event/,
  },
  "stream cut before the blank line": {
    respond: (socket, id) => void socket.end(eventStream + chunk(`event: message\ndata: ${answer(id)}\n`) + lastChunk),
    code: "UPSTREAM_CLOSED",
    says: /in the middle of an event/,
  },
  "stream that ends without an answer": {
    respond: (socket) => void socket.write(eventStream + chunk(": nothing\n\n") + lastChunk),
    code: "UPSTREAM_CLOSED",
    says: /before it answered/,
    mayKeepConnection: true,
  },
  "stream that resets": {
    respond: (socket) =>
      void socket.write(eventStream + chunk("event: mess"), () => setTimeout(() => socket.resetAndDestroy(), 20)),
    code: "UPSTREAM_CLOSED",
    says: /closed the connection/,
  },
  "stream line without end": {
    respond: (socket) => {
      socket.write(eventStream);
      pour(socket, chunk(`data: ${"x".repeat(65_536)}`), forever);
    },
    code: "RESULT_TOO_LARGE",
    says: /max_result_size/,
  },
  "body without end": {
    respond: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
      pour(socket, " ".repeat(65_536), forever);
    },
    code: "RESULT_TOO_LARGE",
    says: /max_result_size/,
  },
  "one byte now and then": {
    respond: (socket) => {
      socket.write(claims(100_000));
      const timer = setInterval(() => socket.write(" "), 20);
      socket.on("close", () => clearInterval(timer));
    },
    code: "TIMEOUT",
    says: /did not answer "tools\/call" within 2000 ms/,
  },
};

describe("F10 HTTP backend that breaks off or breaks the rules", () => {
  test("each fault is one clear error, nothing partial gets out, no spoiled connection is used again", () =>
    withHttpBackend(
      Object.fromEntries(Object.entries(faults).map(([name, { respond }]) => [name, respond])),
      (server) =>
        withHttpBackend({}, async (other) => {
          const backends = {
            odd: { http_url: server.url, timeout: "2s" },
            fine: { http_url: other.url },
          };
          await withGateway({ failsafe: unlimited, backends }, async (gateway) => {
            const odd = await httpClient(gateway, "/mcp/odd");
            const stop = bystander(await httpClient(gateway, "/mcp/fine"));
            const connectionOf = (tool: string) =>
              server.requests.findLast(({ body }) => body.includes(`"name":${JSON.stringify(tool)}`))?.connection;
            for (const [name, { code, says, mayKeepConnection = false }] of Object.entries(faults)) {
              const outcome = await odd.call(name);
              assert.ok(outcome.failed, name);
              assert.equal(outcome.code, code, `${name}: ${outcome.text}`);
              assert.match(outcome.text, says, name);
              assert.ok(outcome.text.includes('"odd"'), `${name}: ${outcome.text}`);
              assert.ok(!JSON.stringify(outcome).includes(marker), name);
              if (name !== "redirect to itself") assert.equal(server.calls(name), 1, `${name}: runs`);
              const next = await odd.call("echo", { text: `after ${name}` });
              assert.equal(next.text, `after ${name}`);
              if (!mayKeepConnection) assert.notEqual(connectionOf("echo"), connectionOf(name), `${name}: connection`);
            }
            await stop();
            assert.ok(server.open <= 3, `${server.open} connections are open`);
            assert.equal((await health(gateway)).status, "healthy");
          });
        }),
    ));
});

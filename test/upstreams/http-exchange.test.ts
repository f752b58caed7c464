import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { GatewayError, UpstreamError } from "../../src/core/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { FetchExchange } from "../../src/upstreams/http/fetch-exchange.ts";
import { type BodySink, type HttpExchange, openExchange } from "../../src/upstreams/http/http-exchange.ts";
import { checkedHeaders, RequestHead } from "../../src/upstreams/http/request-head.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import {
  chunk,
  json,
  lastChunk,
  type RawServer,
  type Respond,
  rawServer,
  status,
} from "../fixtures/raw-http-server.ts";

const never = new AbortController().signal;
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

interface Setting {
  readonly server: RawServer;
  readonly http: HttpExchange;
  post(body?: string, signal?: AbortSignal, sink?: BodySink): Promise<string>;
}

async function withServer(
  respond: Respond,
  run: (setting: Setting) => Promise<void>,
  { maxBodyBytes = 100_000, clock = systemClock, fetching = false } = {},
): Promise<void> {
  const server = await rawServer(respond);
  const url = new URL(server.url);
  const options = { server: "raw", maxBodyBytes, clock };
  const http = fetching ? new FetchExchange(options) : openExchange(url, options);
  const head = new RequestHead("POST", url, { "content-type": "application/json" });
  const post = async (body = "{}", signal = never, sink?: BodySink) =>
    (await http.send({ head, body, signal, stream: () => sink })).text;
  try {
    await run({ server, http, post });
  } finally {
    http.close();
    await server.close();
  }
}

function failsWith(code: string, message: RegExp = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

const answers: Record<string, string> = {
  "Content-Length": json("good"),
  "an empty body": `${status(202)}`,
  "no content": "HTTP/1.1 204 No Content\r\n\r\n",
  "no reason phrase": "HTTP/1.1 200\r\nContent-Length: 4\r\n\r\ngood",
  chunks: `${chunked}${chunk("go")}${chunk("od")}${lastChunk}`,
  "chunks with extensions and trailers": `${chunked}4;a=b;c="d"\r\ngood\r\n0;x\r\nDigest: abc\r\n\r\n`,
  "informational responses before": `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${json("good")}`,
  "headers in odd case and with blanks": "HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh:\t 4 \r\nX: \r\n\r\ngood",
};

for (const [name, answer] of Object.entries(answers))
  test(`http: an answer with ${name} is read, whole, byte by byte, and its connection used again`, async () => {
    const expected = answer.includes("go") ? "good" : "";
    let drip = false;
    const respond = async (socket: Socket) => {
      if (!drip) return void socket.write(answer);
      for (const byte of answer) {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await withServer(
      (socket) => void respond(socket),
      async ({ server, post }) => {
        assert.equal(await post(), expected);
        drip = true;
        assert.equal(await post(), expected);
        assert.equal(server.connections, 1);
      },
    );
  });

const crimes: Record<string, [answer: string, problem: RegExp]> = {
  "something else than HTTP": ["SSH-2.0-OpenSSH\r\n\r\n", /not an HTTP\/1\.1 response/],
  "HTTP/2": ["HTTP/2 200 OK\r\n\r\n", /not an HTTP\/1\.1 response/],
  "two Content-Lengths": ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", /two headers/],
  "a list as Content-Length": ["HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}", /invalid Content-Length/],
  'Content-Length "+2"': ["HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}", /invalid Content-Length/],
  "Content-Length in hex": ["HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}", /invalid Content-Length/],
  "Content-Length and Transfer-Encoding": [
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n${chunk("{}")}${lastChunk}`,
    /both Content-Length and Transfer-Encoding/,
  ],
  "an unknown Transfer-Encoding": ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", /other than chunked/],
  "two Transfer-Encodings": [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    /two headers/,
  ],
  "chunks in HTTP/1.0": ["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", /other than chunked/],
  "more than its Content-Length": ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK", /more bytes/],
  "a folded header": ["HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", /invalid header line/],
  "a blank before the colon": ["HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}", /invalid header line/],
  "a bare line feed": ["HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", /bare line feed/],
  "a bare line feed in a header": [
    "HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 2\r\n\r\n{}",
    /invalid header line/,
  ],
  "a bare carriage return": ["HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 2\r\n\r\n{}", /invalid header line/],
  "a zero byte": ["HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}", /invalid header line/],
  "8,000 headers": [`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(8_000)}\r\n`, /a head of more|more than 128 headers/],
  "129 headers": [`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(129)}\r\n`, /more than 128 headers/],
  "a header of 1 MB": [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(1_000_000)}`, /a head of more than 32768 bytes/],
  "a flood of informational responses": ["HTTP/1.1 103 Early\r\n\r\n".repeat(10_000), /too many informational/],
  "another protocol": ["HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", /change of protocol/],
  "a chunk size that is no number": [`${chunked}xyz\r\n{}\r\n`, /invalid chunk size/],
  "a negative chunk size": [`${chunked}-2\r\n{}\r\n`, /invalid chunk size/],
  "a chunk longer than its size": [`${chunked}2\r\n{}}}\r\n0\r\n\r\n`, /not of its length/],
  "a chunk extension of 1 MB": [`${chunked}2;${"x".repeat(1_000_000)}`, /does not end/],
  "many chunk extensions": [`${chunked}${`2;${"x".repeat(900)}\r\n{}\r\n`.repeat(20)}`, /too many chunk extensions/],
  "a bare line feed after a chunk size": [`${chunked}2\n{}\r\n`, /bare line feed/],
  "endless trailers": [`${chunked}0\r\n${"X: y\r\n".repeat(2_000)}`, /trailers of more/],
  "bytes after the last chunk": [`${chunked}${chunk("{}")}${lastChunk}HTTP/1.1 200 OK\r\n`, /more bytes/],
  "compression nobody asked for": [
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    /compressed/,
  ],
};

for (const [name, [answer, problem]] of Object.entries(crimes))
  test(`F10, T19: an answer with ${name} is one clean error and the connection is not used again`, async () => {
    let crime = true;
    await withServer(
      (socket) => socket.write(crime ? answer : json("{}")),
      async ({ server, post }) => {
        await assert.rejects(post(), failsWith("UPSTREAM_PROTOCOL", problem));
        crime = false;
        assert.equal(await post(), "{}");
        assert.equal(server.connections, 2);
      },
    );
  });

const breaks: Record<string, [sent: string, when: RegExp]> = {
  nothing: ["", /before it answered/],
  "half a head": ["HTTP/1.1 200 OK\r\nContent-Le", /in the middle of its answer/],
  "less than its Content-Length": ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", /in the middle of its answer/],
  "half a chunk": [`${chunked}10\r\n{}`, /in the middle of its answer/],
  "no last chunk": [`${chunked}${chunk("{}")}`, /in the middle of its answer/],
};

for (const [name, [sent, when]] of Object.entries(breaks))
  for (const end of ["FIN", "RST"] as const)
    test(`F10: ${name} and then ${end} is UPSTREAM_CLOSED, and nothing is sent twice`, async () => {
      await withServer(
        (socket) => {
          const finish = () => (end === "FIN" ? socket.end() : socket.resetAndDestroy());
          if (sent === "") finish();
          // The reset must not overtake the bytes.
          else socket.write(sent, () => setTimeout(finish, 20));
        },
        async ({ server, post }) => {
          await assert.rejects(post(), failsWith("UPSTREAM_CLOSED", when));
          assert.equal(server.requests.length, 1);
        },
      );
    });

test("http: a body without a length ends with the connection, unless that is reset", async () => {
  let reset = false;
  await withServer(
    (socket) =>
      socket.write("HTTP/1.1 200 OK\r\n\r\nall of it", () =>
        setTimeout(() => (reset ? socket.resetAndDestroy() : socket.end()), 20),
      ),
    async ({ post }) => {
      assert.equal(await post(), "all of it");
      reset = true;
      await assert.rejects(post(), failsWith("UPSTREAM_CLOSED"));
    },
  );
});

for (const fetching of [false, true]) {
  const by = fetching ? "fetch" : "socket";

  test(`${by}: bytes that are not UTF-8 are an error, never replaced`, async () => {
    await withServer(
      (socket) => socket.write(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", "latin1")),
      async ({ post }) => void (await assert.rejects(post(), failsWith("UPSTREAM_PROTOCOL", /not UTF-8/))),
      { fetching },
    );
  });

  test(`${by}: F7 a body above the limit is refused by its Content-Length, and while it streams`, async () => {
    let announced = true;
    let sentBytes = 0;
    await withServer(
      (socket) => {
        if (announced) return void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n{");
        socket.write(chunked);
        const part = chunk("x".repeat(65_536));
        const more = () => {
          while (!socket.destroyed && sentBytes < 104_857_600) {
            sentBytes += 65_536;
            if (!socket.write(part)) return void socket.once("drain", more);
          }
        };
        more();
      },
      async ({ post }) => {
        const tooLarge = failsWith("RESULT_TOO_LARGE", /"max_result_size" \(100000 bytes\)/);
        await assert.rejects(post(), tooLarge);
        announced = false;
        await assert.rejects(post(), tooLarge);
        assert.ok(sentBytes < 30_000_000, `the server could send ${sentBytes} bytes`);
      },
      { fetching },
    );
  });

  test(`${by}: aborting rejects at once with the reason and closes the connection`, async () => {
    await withServer(
      () => {},
      async ({ server, post }) => {
        const controller = new AbortController();
        const waiting = post("{}", controller.signal);
        await until(() => server.requests.length > 0);
        controller.abort(new UpstreamError("TIMEOUT", "Too slow"));
        await assert.rejects(waiting, failsWith("TIMEOUT", /Too slow/));
        await until(() => server.open === 0);
        await assert.rejects(post("{}", controller.signal), failsWith("TIMEOUT"));
        assert.equal(server.requests.length, 1);
      },
      { fetching },
    );
  });

  test(`${by}: a refused connection is UPSTREAM_START_FAILED; close ends what is under way`, async () => {
    await withServer(
      () => {},
      async ({ server, http, post }) => {
        const waiting = post();
        await until(() => server.requests.length > 0);
        await Promise.all([
          assert.rejects(waiting, failsWith("UPSTREAM_CLOSED", /closed by the gateway/)),
          (async () => http.close())(),
        ]);
        await assert.rejects(post(), failsWith("UPSTREAM_CLOSED", /closed by the gateway/));
        await server.close();
        const again = fetching
          ? new FetchExchange({ server: "raw", maxBodyBytes: 10, clock: systemClock })
          : openExchange(new URL(server.url), { server: "raw", maxBodyBytes: 10, clock: systemClock });
        const head = new RequestHead("GET", new URL(server.url), {});
        await assert.rejects(
          again.send({ head, body: undefined, signal: never }),
          failsWith("UPSTREAM_START_FAILED", /Cannot connect to server "raw"/),
        );
        again.close();
      },
      { fetching },
    );
  });

  test(`${by}: a body goes to a sink as it comes; once that has enough, the answer is there before the end`, async () => {
    let finish = () => {};
    await withServer(
      (socket) => {
        socket.write(`${chunked}${chunk("one")}`);
        finish = () => void socket.write(`${chunk("two")}${lastChunk}`);
      },
      async ({ server, post }) => {
        let seen = "";
        const push = (bytes: Uint8Array) => {
          seen += new TextDecoder().decode(bytes);
          return true;
        };
        assert.equal(await post("{}", never, { push }), "");
        assert.equal(seen, "one");
        finish();
        // The rest is read and dropped; the connection is then free again.
        await new Promise((resolve) => setTimeout(resolve, 30));
        const second = post("{}", never, { push });
        await second;
        finish();
        assert.equal(server.connections, 1);
      },
      { fetching },
    );
  });

  test(`${by}: what a sink throws is what the request rejects with, and the connection is closed`, async () => {
    await withServer(
      (socket) => socket.write(`${chunked}${chunk("one")}`),
      async ({ server, post }) => {
        const push = (): boolean => {
          throw new UpstreamError("UPSTREAM_PROTOCOL", "No good");
        };
        await assert.rejects(post("{}", never, { push }), failsWith("UPSTREAM_PROTOCOL", /No good/));
        await until(() => server.open === 0);
      },
      { fetching },
    );
  });
}

test("http: 32 requests at once use 32 connections, the next 32 the same, and each gets its own answer", async () => {
  await withServer(
    (socket, { body }) => void setTimeout(() => socket.write(json(body)), 5),
    async ({ server, post }) => {
      for (const round of [0, 1]) {
        const bodies = Array.from({ length: 32 }, (_, at) => `"${round}-${at}"`);
        assert.deepEqual(await Promise.all(bodies.map((body) => post(body))), bodies);
      }
      assert.equal(server.connections, 32);
    },
  );
});

test("http: megabytes on several connections at once are each whole, one after another", async () => {
  const answerOf = (body: string) => `"${`${body} é `.repeat(Number(body) * 20_000)}"`;
  await withServer(
    (socket, { body }) => socket.write(json(answerOf(body))),
    async ({ server, post }) => {
      for (const bodies of [["3", "1", "6"], ["2", "5", "4"], ["6"]]) {
        const texts = await Promise.all(bodies.map((body) => post(body)));
        for (const [at, body] of bodies.entries()) assert.ok(texts[at] === answerOf(body), `answer to ${body}`);
      }
      assert.equal(server.connections, 3);
    },
    { maxBodyBytes: 10_000_000 },
  );
});

test("http: a connection the server closed while idle costs nothing, even when the request crosses the close", async () => {
  await withServer(
    // It ends after each answer without having said so.
    (socket) => socket.end(json("{}")),
    async ({ server, post }) => {
      for (let at = 0; at < 50; at++) assert.equal(await post(), "{}");
      assert.equal(server.connections, 50);
    },
  );
});

test("http: a request on a kept connection is sent again only if no byte of an answer came", async () => {
  let second = "";
  await withServer(
    (socket, { connection }) => {
      const first = connection === 1 && socket.bytesWritten === 0;
      if (first || connection > 1) socket.write(json(`"${connection}"`));
      else socket.end(second);
    },
    async ({ server, post }) => {
      assert.equal(await post(), '"1"');
      assert.equal(await post(), '"2"', "nothing came: sent again on a new connection");
      assert.equal(server.requests.length, 3);
    },
  );
  second = "HTTP/1.1 200 OK\r\n";
  await withServer(
    (socket, { connection }) => {
      if (connection === 1 && socket.bytesWritten === 0) socket.write(json('"1"'));
      else socket.end(second);
    },
    async ({ server, post }) => {
      await post();
      await assert.rejects(post(), failsWith("UPSTREAM_CLOSED", /in the middle/));
      assert.equal(server.requests.length, 2);
    },
  );
});

test("http: a request that may write is not sent again, even if no byte of an answer came", async () => {
  await withServer(
    (socket) => {
      if (socket.bytesWritten === 0) socket.write(json("{}"));
      else socket.end();
    },
    async ({ server, http, post }) => {
      await post();
      const head = new RequestHead("POST", new URL(server.url), {});
      await assert.rejects(
        http.send({ head, body: "{}", signal: never, sendOnce: true }),
        failsWith("UPSTREAM_CLOSED"),
      );
      assert.equal(server.requests.length, 2);
    },
  );
});

test("http: a server that hangs up after it worked on the request does not get it twice", async () => {
  const clock = new FakeClock();
  await withServer(
    (socket) => {
      if (socket.bytesWritten === 0) socket.write(json("{}"));
      else void clock.advance(600).then(() => socket.end());
    },
    async ({ server, post }) => {
      await post();
      await assert.rejects(post(), failsWith("UPSTREAM_CLOSED"));
      assert.equal(server.requests.length, 2);
    },
    { clock },
  );
});

test("http: idle connections are closed after 4 s, or a second before the server said it would", async () => {
  for (const [more, aliveMs, oldMs] of [
    ["", 3_900, 4_100],
    ["Keep-Alive: timeout=3, max=100\r\n", 1_900, 2_100],
  ] as const) {
    const clock = new FakeClock();
    await withServer(
      (socket) => socket.write(json("{}", more)),
      async ({ server, post }) => {
        await post();
        await clock.advance(aliveMs);
        await post();
        assert.equal(server.connections, 1);
        await clock.advance(oldMs);
        await post();
        assert.equal(server.connections, 2);
        await clock.advance(10_000);
        await until(() => server.open === 0);
        assert.equal(clock.pending, 0, "no timer is left once no connection is");
      },
      { clock },
    );
  }
});

test("http: a server that does not end an answer nobody waits for loses the connection after a second", async () => {
  const clock = new FakeClock();
  await withServer(
    (socket) => socket.write(`${chunked}${chunk("x")}`),
    async ({ server, post }) => {
      await post("{}", never, { push: () => true });
      await clock.advance(2_500);
      await until(() => server.open === 0);
    },
    { clock },
  );
});

test("http: bytes on an idle connection close it, so they cannot become the next answer", async () => {
  await withServer(
    (socket) => {
      socket.write(json('"right"'));
      setTimeout(() => socket.write(json('"wrong"')), 10);
    },
    async ({ server, post }) => {
      assert.equal(await post(), '"right"');
      await until(() => server.open === 0);
      assert.equal(await post(), '"right"');
      assert.equal(server.connections, 2);
    },
  );
});

test("http: the request is what was asked for, byte for byte", async () => {
  await withServer(
    (socket) => socket.write(json("{}")),
    async ({ server, post }) => {
      await post('{"größe":"😀"}');
      const { head, body } = server.requests[0] as { head: string; body: string };
      assert.equal(
        head,
        `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\ncontent-type: application/json\r\ncontent-length: 18`,
      );
      assert.equal(body, '{"größe":"😀"}');
    },
  );
});

test("T19: configured headers that could break out of the request are refused by name", () => {
  for (const [name, value] of [
    ["X-Key", "a\r\nHost: evil"],
    ["X-Key", "a\nb"],
    ["X-Key", "a\0"],
    ["X-Key", "schlüssel"],
    ["X Key", "a"],
    ["X-Key:", "a"],
    ["", "a"],
    ["Transfer-Encoding", "chunked"],
    ["Content-Length", "5"],
    ["Connection", "close"],
  ] as const)
    assert.throws(
      () => checkedHeaders("raw", { [name]: value }),
      failsWith("UPSTREAM_START_FAILED", /Cannot send header/),
    );
  assert.deepEqual(checkedHeaders("raw", { Authorization: "Bearer x", Host: "a" }), {
    authorization: "Bearer x",
    host: "a",
  });
});

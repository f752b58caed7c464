import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CancelledError,
  ConfigError,
  DeniedError,
  GatewayError,
  UpstreamError,
  UpstreamRpcError,
} from "../../src/core/errors.ts";
import { toRpcError, toToolResult } from "../../src/mcp/error-answer.ts";

const open = new DeniedError("CIRCUIT_OPEN", 'Server "files" is given time to recover', {
  hint: "Use another server",
  data: { server: "files", retry_after_ms: 1_250 },
  cause: new Error("secret cause"),
});

/** What the code under test must not be hurt by, whatever threw it. */
const unknowns: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  text: "secret text",
  number: 0n,
  "an error with a stack": new TypeError("secret /home/me/a.ts"),
  "an impostor": { name: "GatewayError", code: "FORBIDDEN", message: "secret", data: { secret: 1 }, toString: null },
  "an object whose members throw": new Proxy(
    {},
    {
      get() {
        throw new Error("secret trap");
      },
    },
  ),
  "a circle": (() => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    return circle;
  })(),
};

describe("toToolResult", () => {
  test("is an isError result with a sentence for the model and the facts for programs", () => {
    assert.deepEqual(toToolResult(open, "r-1"), {
      content: [
        {
          type: "text",
          text: 'CIRCUIT_OPEN: Server "files" is given time to recover. Use another server. Retry after 1.25 s. Request id: r-1',
        },
      ],
      isError: true,
      _meta: {
        "mcp-gateway/error": {
          code: "CIRCUIT_OPEN",
          server: "files",
          retry_after_ms: 1_250,
          hint: "Use another server",
          request_id: "r-1",
        },
      },
    });
  });

  test("puts no full stop behind a question", () => {
    const error = new GatewayError("TOOL_NOT_FOUND", "No such tool", { hint: "Did you mean: echo?" });
    const [block] = toToolResult(error, "r-3")["content"] as [{ text: string }];
    assert.equal(block.text, "TOOL_NOT_FOUND: No such tool. Did you mean: echo? Request id: r-3");
  });

  test("leaves out what is not known", () => {
    const result = toToolResult(new GatewayError("INVALID_PARAMS", 'Argument "limit" must be a number'), "r-2");
    assert.equal(
      JSON.stringify(result),
      '{"content":[{"type":"text","text":"INVALID_PARAMS: Argument \\"limit\\" must be a number. Request id: r-2"}],' +
        '"isError":true,"_meta":{"mcp-gateway/error":{"code":"INVALID_PARAMS","request_id":"r-2"}}}',
    );
  });

  test("keeps the whole JSON-RPC error of the server, so that a model can correct its call", () => {
    const rpc = { code: -32602, message: "path: required", data: { issues: [{ path: ["path"] }] } };
    const result = JSON.parse(JSON.stringify(toToolResult(new UpstreamRpcError(rpc, "files"), "r-3")));
    assert.equal(
      result.content[0].text,
      'UPSTREAM_ERROR: Server "files" answered with error -32602: path: required. Request id: r-3',
    );
    assert.deepEqual(result._meta["mcp-gateway/error"], {
      code: "UPSTREAM_ERROR",
      server: "files",
      request_id: "r-3",
      rpc,
    });
  });

  test("T23: hidden characters of a server's message are shown, its line feeds kept", () => {
    const error = new UpstreamError("UPSTREAM_START_FAILED", "Exited:\n\x1b[31mboom\u202e\u{e0041}\ud800");
    const { content } = JSON.parse(JSON.stringify(toToolResult(error, "r")));
    assert.match(content[0].text, /Exited:\n\\u001b\[31mboom\\u202e\\udb40\\udc41\\ud800\./);
  });

  test("no fact can pose as another code or request", () => {
    const error = new DeniedError("FORBIDDEN", "No", { data: { code: "OK", request_id: "x", hint: "h", server: "s" } });
    const { _meta } = JSON.parse(JSON.stringify(toToolResult(error, "r-4")));
    assert.deepEqual(_meta["mcp-gateway/error"], { code: "FORBIDDEN", request_id: "r-4", hint: "h", server: "s" });
  });
});

describe("toRpcError", () => {
  test("relays a server's error verbatim", () => {
    const rpc = { code: -31999, message: "\x1b odd", data: [1, { vendor: null }] };
    assert.equal(toRpcError(new UpstreamRpcError(rpc, "files"), "r"), rpc);
  });

  test("takes the code from the table and carries the facts", () => {
    assert.deepEqual(toRpcError(open, "r-1"), {
      code: -32000,
      message: 'Server "files" is given time to recover',
      data: {
        code: "CIRCUIT_OPEN",
        server: "files",
        retry_after_ms: 1_250,
        hint: "Use another server",
        request_id: "r-1",
      },
    });
    const codes = [
      new GatewayError("METHOD_NOT_FOUND", "x"),
      new CancelledError(),
      new ConfigError("x"),
      new DeniedError("FORBIDDEN", "x"),
    ].map((error) => toRpcError(error, "r").code);
    assert.deepEqual(codes, [-32601, -32000, -32603, -32003]);
  });
});

for (const [name, thrown] of Object.entries(unknowns))
  test(`error answers tell nothing of an unknown throwable but the request id: ${name}`, () => {
    const tool = toToolResult(thrown, "r-9");
    const rpc = toRpcError(thrown, "r-9");
    assert.equal(rpc.code, -32603);
    for (const answer of [tool, rpc]) {
      const text = JSON.stringify(answer);
      assert.match(text, /"code":"INTERNAL"/);
      assert.match(text, /"request_id":"r-9"/);
      assert.ok(!/secret|home|trap/.test(text), text);
    }
  });

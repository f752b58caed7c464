import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import { UpstreamRpcError } from "../../src/core/errors.ts";
import { openOtelTracer } from "../../src/observe/traces/otel-tracer.ts";
import { tracingSchema } from "../../src/observe/traces/schema.ts";
import { traceStage } from "../../src/stages/trace/trace-stage.ts";
import { type Collector, startCollector } from "../fixtures/otlp-collector.ts";
import { makeCall, on } from "../stages/fixture.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const request = {
  id: 7,
  method: "tools/call",
  params: { name: "gateway_invoke", arguments: { secret: "in the arguments" } },
  backend: undefined,
  sessionId: "the-session-id",
  caller: "anonymous",
  requestId: "req-1",
  traceparent: undefined,
};

function tracerFor(collector: Collector, settings: object = {}) {
  const problems: unknown[] = [];
  const tracer = openOtelTracer({
    settings: v.parse(tracingSchema, { otlp_endpoint: collector.url, ...settings }),
    serviceName: "mcp-gateway",
    onProblem: (error) => void problems.push(error),
  });
  return { tracer, problems };
}

test("a request and the calls made for it are one trace, that of the client", async () => {
  const collector = await startCollector();
  const { tracer, problems } = tracerFor(collector, { headers: { "x-team": "blue" }, service_name: "gate" });
  const meta = { traceparent, tracestate: "vendor=1", progressToken: 1 };
  const span = tracer.spanOfRequest({ ...request, params: { ...request.params, _meta: meta } });
  const stage = on(traceStage(() => tracer));
  const call = (params: object) =>
    makeCall({ params: { name: "read", _meta: { ...span.context, own: 1 }, ...params } });
  await stage(call({}), async ({ params }) => {
    const inner = params?.["_meta"] as Record<string, string>;
    assert.match(String(inner["traceparent"]), new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.notEqual(inner["traceparent"], span.context["traceparent"]);
    assert.deepEqual([inner["tracestate"], inner["own"]], ["vendor=1", 1]);
    return Answer.of({});
  });
  await stage(call({}), async () => Answer.of({ isError: true }));
  const refusal = new UpstreamRpcError({ code: -32602, message: "secret in the error" }, "files");
  await assert.rejects(
    stage(call({}), () => Promise.reject(refusal)),
    (error) => error === refusal,
  );
  span.end();
  await tracer.shutdown();
  await collector.close();

  const server = collector.spans.find(({ kind }) => kind === 2);
  assert.deepEqual([server?.name, server?.traceId], ["tools/call gateway_invoke", traceId]);
  assert.equal(server?.parentSpanId, "b7ad6b7169203331");
  assert.equal(server?.attributes["jsonrpc.request.id"], "7");
  assert.equal(server?.isError, false);
  const clients = collector.spans.filter(({ kind }) => kind === 3);
  assert.equal(clients.length, 3);
  for (const { traceId: own, parentSpanId, name, attributes } of clients) {
    assert.deepEqual([own, parentSpanId, name], [traceId, server?.spanId, "tools/call read"]);
    assert.equal(attributes["mcp_gateway.server"], "files");
    assert.equal(attributes["gen_ai.tool.name"], "read");
  }
  assert.deepEqual(
    clients.map(({ isError, attributes }) => [
      isError,
      attributes["error.type"],
      attributes["rpc.response.status_code"],
    ]),
    [
      [false, undefined, undefined],
      [true, "tool_error", undefined],
      [true, "UPSTREAM_ERROR", "-32602"],
    ],
  );
  assert.deepEqual([collector.service[0], collector.paths[0]], ["gate", "/v1/traces"]);
  assert.equal(collector.headers[0]?.["x-team"], "blue");
  assert.doesNotMatch(collector.text(), /secret|the-session-id/);
  assert.ok(problems.every((problem) => problem === undefined));
});

test("where _meta has no trace, that of the HTTP header counts; a broken one begins a new trace", async () => {
  const collector = await startCollector();
  const { tracer } = tracerFor(collector);
  tracer.spanOfRequest({ ...request, traceparent }).end();
  tracer.spanOfRequest({ ...request, traceparent: "00-zz-zz-01" }).end("TIMEOUT");
  tracer.spanOfRequest({ ...request, params: { _meta: { traceparent: 5 } } }).end();
  await tracer.shutdown();
  await collector.close();
  const [ofHeader, ...others] = collector.spans;
  assert.equal(ofHeader?.traceId, traceId);
  for (const { traceId: own, parentSpanId } of others) {
    assert.match(own, /^[0-9a-f]{32}$/);
    assert.notEqual(own, traceId);
    assert.equal(parentSpanId, undefined);
  }
  assert.equal(others[0]?.attributes["error.type"], "TIMEOUT");
});

test("what the client decided about sampling holds, and the ratio where it did not", async () => {
  const collector = await startCollector();
  const { tracer } = tracerFor(collector, { sample_ratio: 0 });
  const unsampled = tracer.spanOfRequest(request);
  assert.match(String(unsampled.context["traceparent"]), /-00$/);
  unsampled.end();
  tracer.spanOfRequest({ ...request, traceparent }).end();
  tracer.spanOfRequest({ ...request, traceparent: traceparent.replace(/01$/, "00") }).end();
  await tracer.shutdown();
  await collector.close();
  assert.equal(collector.spans.length, 1);
});

test("a collector that takes nothing is told of, and holds nobody up", async () => {
  const collector = await startCollector(400);
  const { tracer, problems } = tracerFor(collector);
  tracer.spanOfRequest(request).end();
  await tracer.shutdown();
  await collector.close();
  assert.ok(problems.some((problem) => problem instanceof Error));
});

/**
 * Spans by the OpenTelemetry SDK, named and described by its conventions for MCP (semantic-conventions-genai, "MCP").
 * Trace context comes and goes in `_meta` of requests, whatever carries them (SEP-414). Arguments, results, messages of
 * errors and ids of sessions are in no span.
 */
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Call } from "../../core/call.ts";
import { shownToolName } from "../../core/call-record.ts";
import type { Span, TracedRequest, Tracer } from "../../core/tracing.ts";
import { version } from "../../core/version.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { sessionDigest } from "../transparency/chain.ts";
import type { TracingSettings } from "./schema.ts";

export interface OtelTracer extends Tracer {
  /** Sends what is left; resolves when it is sent or cannot be. */
  shutdown(): Promise<void>;
}

export interface OtelTracerOptions {
  readonly settings: TracingSettings;
  /** `service.name` where the settings have none. */
  readonly serviceName: string;
  /** Told when the collector takes nothing, and with `undefined` when it does again. */
  onProblem(error: unknown): void;
}

const exportTimeoutMs = 5_000;

export function openOtelTracer({ settings, serviceName, onProblem }: OtelTracerOptions): OtelTracer {
  const { otlp_endpoint, headers, sample_ratio, service_name } = settings;
  const address = otlp_endpoint === undefined ? {} : { url: tracesUrl(otlp_endpoint) };
  const exporter = new OTLPTraceExporter({ ...address, headers, timeoutMillis: exportTimeoutMs });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service_name ?? serviceName, "service.version": version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample_ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: reporting(exporter, onProblem) })],
  });
  const tracer = provider.getTracer("mcp-gateway", version);
  const propagator = new W3CTraceContextPropagator();

  function start(
    kind: SpanKind,
    name: string,
    attributes: Attributes,
    carrier: Readonly<Record<string, unknown>>,
  ): Span {
    const parent = propagator.extract(ROOT_CONTEXT, carrier, { get: textAt, keys: Object.keys });
    const span = tracer.startSpan(name, { kind, attributes }, parent);
    const context: Record<string, string> = {};
    propagator.inject(trace.setSpan(parent, span), context, { set: (into, key, value) => (into[key] = value) });
    return {
      context,
      end(errorType, rpcCode) {
        if (errorType !== undefined) {
          span.setAttribute("error.type", errorType);
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        if (rpcCode !== undefined) span.setAttribute("rpc.response.status_code", String(rpcCode));
        span.end();
      },
    };
  }

  return {
    spanOfRequest(request: TracedRequest) {
      const { id, method, params, backend, sessionId, caller, requestId, traceparent } = request;
      const meta = metaOf(params);
      const target = targetOf(method, params);
      return start(
        SpanKind.SERVER,
        nameOf(method, target),
        {
          ...attributesOf(method, target, params),
          "jsonrpc.request.id": String(id),
          ...(sessionId !== undefined && { "mcp.session.id": sessionDigest(sessionId) }),
          ...(backend !== undefined && { "mcp_gateway.server": backend }),
          "mcp_gateway.caller": caller,
          "mcp_gateway.request_id": requestId,
        },
        meta["traceparent"] === undefined && traceparent !== undefined ? { traceparent } : meta,
      );
    },
    spanOfCall({ method, params, upstream, requestId }: Call) {
      const target = targetOf(method, params);
      return start(
        SpanKind.CLIENT,
        nameOf(method, target),
        {
          ...attributesOf(method, target, params),
          "mcp_gateway.server": upstream,
          "mcp_gateway.request_id": requestId,
        },
        metaOf(params),
      );
    },
    shutdown: () => provider.shutdown().catch(onProblem),
  };
}

/** As the specification of OTLP has it: an address without a path is that of the collector. */
function tracesUrl(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null) return endpoint;
  if (url.pathname === "/") url.pathname = "/v1/traces";
  return url.href;
}

function reporting(exporter: OTLPTraceExporter, onProblem: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        onProblem(result.code === 0 ? undefined : (result.error ?? new Error("The collector took no spans")));
        done({ code: 0 });
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

function metaOf(params: JsonObject | undefined): JsonObject {
  const meta = params?.["_meta"];
  return isJsonObject(meta) ? meta : {};
}

function textAt(carrier: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = carrier[key];
  return typeof value === "string" ? value : undefined;
}

/** Name of the tool or prompt: callers can make them up, so that it is cut. */
function targetOf(method: string, params: JsonObject | undefined): string | undefined {
  const name = method === "tools/call" || method === "prompts/get" ? params?.["name"] : undefined;
  return typeof name === "string" ? shownToolName(name) : undefined;
}

function nameOf(method: string, target: string | undefined): string {
  return target === undefined ? shownToolName(method) : `${method} ${target}`;
}

function attributesOf(method: string, target: string | undefined, params: JsonObject | undefined): Attributes {
  const attributes: Attributes = { "mcp.method.name": shownToolName(method) };
  if (target !== undefined) attributes[method === "tools/call" ? "gen_ai.tool.name" : "gen_ai.prompt.name"] = target;
  if (method === "tools/call") attributes["gen_ai.operation.name"] = "execute_tool";
  const uri = params?.["uri"];
  if (typeof uri === "string") attributes["mcp.resource.uri"] = uri.slice(0, 1_024);
  return attributes;
}

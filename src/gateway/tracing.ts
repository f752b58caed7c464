/** The tracer that the configuration in force asks for; its code is loaded when one does. */
import type { Tracer } from "../core/tracing.ts";
import { stableJson } from "../lib/json.ts";
import type { OtelTracer } from "../observe/traces/otel-tracer.ts";
import type { TracingSettings } from "../observe/traces/schema.ts";
import type { Environment } from "../runtime/process.ts";

export interface Tracing {
  /** `undefined` while there is none, or none yet. */
  current(): Tracer | undefined;
  configure(settings: TracingSettings | undefined): void;
  /** Resolves when every span is sent or cannot be. */
  close(): Promise<void>;
}

export function createTracing(env: Environment, onProblem: (error: unknown) => void): Tracing {
  let wanted: TracingSettings | undefined;
  let tracer: OtelTracer | undefined;
  let opening: Promise<void> = Promise.resolve();

  async function open(settings: TracingSettings): Promise<void> {
    const { openOtelTracer } = await import("../observe/traces/otel-tracer.ts");
    if (settings !== wanted) return;
    const serviceName = env["OTEL_SERVICE_NAME"] || "mcp-gateway";
    tracer = openOtelTracer({ settings, serviceName, onProblem });
  }

  function configure(settings: TracingSettings | undefined): void {
    const next = settings?.enabled ? settings : undefined;
    if (stableJson(next ?? null) === stableJson(wanted ?? null)) return;
    wanted = next;
    const before = tracer;
    tracer = undefined;
    opening = Promise.all([before?.shutdown(), next && open(next)]).then(() => {}, onProblem);
  }

  return {
    current: () => tracer,
    configure,
    async close() {
      await opening;
      await tracer?.shutdown();
    },
  };
}

/** The log of an embedded gateway: what it says goes to the host's logger as values, without secrets. */
import { type LogFields, type Logger, silentLogger } from "../core/log.ts";
import type { GatewayLogger } from "./create-gateway.ts";

export function hostLogger(host: GatewayLogger | undefined, redact: (text: string) => string): Logger {
  return host === undefined ? silentLogger : bound(host, redact, {});
}

function bound(host: GatewayLogger, redact: (text: string) => string, always: LogFields): Logger {
  const at = (level: keyof GatewayLogger) => (message: string, more?: LogFields) => {
    const fields: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries({ ...always, ...more }))
      if (value !== undefined) fields[name] = typeof value === "string" ? redact(value) : value;
    try {
      host[level](redact(message), fields);
    } catch {
      // What the host's logger throws must not fail a call.
    }
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => bound(host, redact, { ...always, ...fields }),
  };
}

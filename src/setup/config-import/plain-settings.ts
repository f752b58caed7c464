/**
 * The settings of the grouped format that stand for themselves: what each is called here, or why there is no such
 * thing and what to do instead. Groups of upstreams and access have files of their own.
 */
import type { Path } from "../../config/path.ts";
import type { Conversion } from "./conversion.ts";

interface Move {
  readonly to: string;
  /** Of a number; without it the value stays as it is. */
  readonly unit?: "s" | "ms";
  readonly comment?: string;
}

const moved: Readonly<Record<string, Move>> = {
  "server.host": { to: "server.host" },
  "server.port": { to: "server.port" },
  "server.request_timeout": { to: "server.request_timeout", unit: "s" },
  "server.graceful_shutdown_timeout": { to: "server.shutdown_timeout", unit: "s" },
  "middleware.timeout.request": { to: "server.request_timeout", unit: "s" },
  "metrics.port": { to: "server.metrics_port" },
  "gateway.circuit_breaker.enabled": { to: "failsafe.circuit_breaker.enabled" },
  "gateway.circuit_breaker.failure_threshold": { to: "failsafe.circuit_breaker.failure_threshold" },
  "gateway.circuit_breaker.recovery_timeout": { to: "failsafe.circuit_breaker.reset_timeout", unit: "s" },
  "gateway.retry.enabled": { to: "failsafe.retry.enabled" },
  "gateway.retry.max_attempts": { to: "failsafe.retry.max_attempts" },
  "gateway.retry.initial_delay": { to: "failsafe.retry.initial_backoff", unit: "ms" },
  "gateway.retry.max_delay": { to: "failsafe.retry.max_backoff", unit: "ms" },
  "gateway.retry.multiplier": { to: "failsafe.retry.multiplier" },
  "gateway.cache.enabled": { to: "cache.enabled", comment: "answers of tools that only read, and for their caller" },
  "gateway.cache.ttl": { to: "cache.default_ttl", unit: "s" },
  "gateway.cache.max_size": { to: "cache.max_entries" },
  "upstream.health_check.enabled": { to: "failsafe.health_check.enabled" },
  "upstream.health_check.interval": { to: "failsafe.health_check.interval", unit: "s" },
  "upstream.health_check.timeout": { to: "failsafe.health_check.timeout", unit: "s" },
  "upstream.connection_pool.max_connections_per_host": {
    to: "failsafe.concurrency.max_concurrent",
    comment: "calls that may run at one backend at once, over however many connections",
  },
};

const always = "it is always so, and not to be set";
const flag = (option: string) => `it belongs to the command line: serve ${option}`;
const ping = "backends are asked with a ping of MCP, which needs no address";
const connections = "connections to a backend are opened and closed as calls need them";

const leftOut: Readonly<Record<string, string>> = {
  "server.workers": "one process serves every connection",
  "server.max_connections": "connections are bounded by the open files the system allows (ulimit -n)",
  "server.keepalive_timeout": "unused connections are closed after 255 seconds",
  "gateway.name": "it has no effect here",
  "gateway.version": "it has no effect here",
  "gateway.environment": "it has no effect here; keep a file for each environment",
  "gateway.routes": "every backend is at /mcp/NAME, and all of them together at /mcp",
  "gateway.load_balancing.sticky_sessions": "choose it per backend: load_balancing.strategy: session_hash",
  "gateway.load_balancing.session_cookie_name": "sessions are those of MCP, which need no cookie",
  "gateway.circuit_breaker.min_request_threshold": "see failsafe.error_budget.min_calls",
  "gateway.circuit_breaker.error_rate_threshold": "see failsafe.error_budget.failure_rate",
  "gateway.retry.backoff_strategy": "the back-off grows by failsafe.retry.multiplier; 1 keeps it as it is",
  "gateway.cache.redis_url": "answers are kept in memory",
  "upstream.health_check.path": ping,
  "upstream.health_check.method": ping,
  "upstream.health_check.expected_status": ping,
  "upstream.health_check.healthy_threshold": "the first answer makes a backend well",
  "upstream.health_check.unhealthy_threshold": "three pings without an answer restart a backend",
  "upstream.connection_pool.max_idle_per_host": connections,
  "upstream.connection_pool.idle_timeout": connections,
  "upstream.connection_pool.connect_timeout": "see start_timeout of each backend",
  "metrics.enabled": "metrics are always counted; server.metrics_port gives them a port of their own",
  "metrics.host": "the port of the metrics is on server.host",
  "metrics.path": "metrics are at /metrics",
  "metrics.histogram_buckets": "the buckets are fixed",
  "metrics.push_gateway": "metrics are fetched, not pushed",
  "logging.level": flag("--log-level LEVEL"),
  "logging.structured": flag("--log-format json"),
  "logging.format": flag("--log-format text or json"),
  "logging.output": "the log goes to standard error",
  "logging.file_path": "the log goes to standard error: redirect it",
  "logging.max_file_size": "the log goes to standard error: leave its files to what keeps them",
  "logging.max_files": "the log goes to standard error: leave its files to what keeps them",
  "middleware.request_id": "every request has an id, taken from X-Request-Id or made, and gives it back in that header",
  "middleware.compression": "answers are not compressed; a proxy in front of the gateway can do it",
  "middleware.timeout.keepalive": "unused connections are closed after 255 seconds",
  "middleware.transform": "requests and results are passed on as they are",
  "security.headers": always,
};

/** The port clients know, where the file does not name it. */
const usualPort = 8080;

export function convertPlainSettings(conversion: Conversion): void {
  for (const [name, { to, unit, comment }] of Object.entries(moved)) {
    const from = name.split(".");
    const value = conversion.get(from);
    if (value === undefined) continue;
    if (isOff(conversion, from)) conversion.leaveOut(from, "it was switched off");
    else conversion.set(from, to.split("."), unit === undefined ? value : duration(value, unit), comment);
  }
  for (const [name, why] of Object.entries(leftOut)) {
    const from = name.split(".");
    if (conversion.get(from) !== undefined) conversion.leaveOut(from, why);
  }
  const [host, port] = [
    ["server", "host"],
    ["server", "port"],
  ] as const;
  if (conversion.get(port) === undefined) conversion.set(port, port, usualPort, "what it was where none was named");
  if (conversion.get(host) === undefined)
    conversion.leaveOut(host, "without one it listened on every address; here on this machine alone");
}

/** What is not a number is left for the schema to refuse. */
export function duration(value: unknown, unit: "s" | "ms"): unknown {
  return typeof value === "number" ? `${value}${unit}` : value;
}

/** Metrics that are switched off get no port. */
function isOff(conversion: Conversion, from: Path): boolean {
  return from[0] === "metrics" && conversion.get(["metrics", "enabled"]) === false;
}

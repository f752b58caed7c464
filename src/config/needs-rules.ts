/**
 * Whether settings hold anything that the rules of `rules.ts` are about. It exists for the start-up time alone: most
 * files have nothing but servers, and the rules are not loaded for those.
 */
import { isMap, type Settings } from "./path.ts";

/** What has no rules at all, or none for settings besides those named. */
const sections: Readonly<Record<string, (section: Settings) => boolean>> = {
  backends: (backends) => Object.entries(backends).every(isPlainBackend),
  capabilities: (section) => section["name"] === undefined,
  code_mode: () => true,
  failsafe: () => true,
  meta_mcp: (section) => !["warm_start", "surfaced_tools", "operator_tools"].some((key) => Object.hasOwn(section, key)),
  playbooks: () => true,
  server: ({ host = "127.0.0.1", ...rest }) =>
    isLoopback(host) && Object.keys(rest).every((key) => plainServerKeys.has(key)),
  streaming: (section) => section["auto_subscribe"] === undefined,
};
const plainServerKeys: ReadonlySet<string> = new Set(["port", "request_timeout", "shutdown_timeout", "max_body_size"]);
const plainBackendKeys: ReadonlySet<string> = new Set([
  "cwd",
  "description",
  "enabled",
  "env",
  "failsafe",
  "headers",
  "max_result_size",
  "start_timeout",
  "timeout",
]);
/** Of `capabilities.name` by default, which no backend may have. */
const capabilitiesName = "gateway";

/** One by one: at a start a pattern takes as long to be made as everything else here. */
const notInNames = ["/", "\\", ":"];

/** @param settings with variables filled in */
export function needsRules(settings: Settings): boolean {
  return !Object.entries(settings).every(([name, section]) => isMap(section) && sections[name]?.(section) === true);
}

export function isLoopback(host: unknown): boolean {
  // Nearly always, and then no pattern has to be made.
  if (host === "127.0.0.1" || host === "localhost") return true;
  return typeof host === "string" && /^(localhost|127\.[\d.]+|\[?::1\]?)$/i.test(host);
}

function isPlainBackend([name, backend]: [string, unknown]): boolean {
  if (name === "" || name === capabilitiesName || notInNames.some((mark) => name.includes(mark))) return false;
  if (!isMap(backend)) return false;
  const { command, args: _ofCommand, http_url: address, ...rest } = backend;
  const hasProgram = command !== undefined;
  if (hasProgram ? address !== undefined : !isWebAddress(address) || Object.hasOwn(backend, "args")) return false;
  return Object.keys(rest).every((key) => plainBackendKeys.has(key));
}

function isWebAddress(address: unknown): boolean {
  return typeof address === "string" && /^https?:\/\//i.test(address) && URL.canParse(address);
}

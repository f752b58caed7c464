/** Asks the running gateway what it has measured. */
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { environmentVariable, writeStderr, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { columns } from "./columns.ts";
import { runningGateway } from "./running-gateway.ts";

const timeoutMs = 10_000;
const shownTools = 15;
const allTools = 100_000;

/** What is read of the answer of `/ui/api/stats`. */
interface Statistics {
  readonly since: string;
  readonly invocations: number;
  readonly ok: number;
  readonly tool_error: number;
  readonly failed: number;
  readonly refused: number;
  readonly cache_hits: number;
  readonly cache_hit_rate: string;
  readonly cancelled: number;
  readonly tools_available: number;
  readonly tools_called: number;
  readonly tokens_saved: number;
  readonly estimated_savings_usd: string;
  readonly price_per_million: number;
  readonly tokens: {
    readonly direct_list: number;
    readonly gateway_list: number;
    readonly saved_per_session: number;
    readonly sessions: number;
    readonly discovery_tokens: number;
    readonly not_listed: readonly string[];
  };
  readonly tools: readonly {
    readonly server: string;
    readonly tool: string;
    readonly calls: number;
    readonly error_rate: number;
    readonly latency_p50_ms: number | null;
    readonly latency_p95_ms: number | null;
    readonly trend: { readonly latency: string } | null;
  }[];
}

export async function run(input: CommandInput): Promise<number> {
  const price = Number(input.text("price"));
  if (!(price >= 0)) throw new UsageError(`--price must be dollars per million tokens, not "${input.text("price")}"`);
  const { base, token: configured, own } = await runningGateway(input);
  const token = input.text("token") ?? (environmentVariable("MCP_GATEWAY_TOKEN") || configured);
  const url = `${base}/ui/api/stats?price=${price}&tools=${input.flag("json") ? allTools : shownTools}`;
  let response: Response;
  try {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    response = await fetch(url, { ...own, headers, signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
  } catch (error) {
    await writeStderr(`No answer from ${base}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const text = await response.text();
  if (!response.ok) {
    await writeStderr(`${base} answered ${response.status}: ${reasonOf(text)}${adviceFor(response.status)}\n`);
    return 1;
  }
  if (input.flag("json")) await writeStdout(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  else await writeStdout(`${escapeHidden(report(JSON.parse(text) as Statistics).join("\n"))}\n`);
  return 0;
}

function reasonOf(text: string): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return text.slice(0, 300);
  }
}

function adviceFor(status: number): string {
  if (status !== 401 && status !== 403) return "";
  return "\nPass a token with admin rights: --token, or MCP_GATEWAY_TOKEN";
}

function report(found: Statistics): string[] {
  const { tokens } = found;
  const asked = found.ok + found.tool_error + found.failed;
  const errors = asked === 0 ? 0 : (found.tool_error + found.failed) / asked;
  const count = (value: number) => value.toLocaleString("en");
  const lines = [
    `Since ${found.since.slice(0, 16).replace("T", " ")} UTC`,
    "",
    `Invocations         ${count(found.invocations)}`,
    `Errors              ${percent(errors)} (${count(found.failed)} failed, ${count(found.tool_error)} by the tool itself)`,
    `Refused, cancelled  ${count(found.refused)}, ${count(found.cancelled)}`,
    `Cache Hits          ${count(found.cache_hits)} (${found.cache_hit_rate.replace("%", " %")})`,
    `Tools               ${count(found.tools_called)} called of ${count(found.tools_available)} available`,
    "",
    `Tokens of all tools ${count(tokens.direct_list)} in every request, if a model were given all of them`,
    `Tokens instead      ${count(tokens.gateway_list)}`,
    `Spent on finding    ${count(tokens.discovery_tokens)}`,
    `Tokens Saved        ${count(found.tokens_saved)} in ${count(tokens.sessions)} sessions`,
    `Estimated Savings   ${found.estimated_savings_usd} at $${found.price_per_million} per million`,
  ];
  if (tokens.not_listed.length > 0)
    lines.push(`Not reckoned in     ${tokens.not_listed.join(", ")} (never asked for tools)`);
  if (found.tools.length === 0) return lines;
  const rows = found.tools.map(({ server, tool, calls, error_rate, latency_p50_ms, latency_p95_ms, trend }) => [
    `${server}:${tool}`,
    calls,
    percent(error_rate),
    milliseconds(latency_p50_ms),
    milliseconds(latency_p95_ms),
    trend?.latency ?? "",
  ]);
  return [...lines, "", ...columns([["Top Tools", "Calls", "Errors", "p50", "p95", "Trend"], ...rows])];
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(rate > 0 && rate < 0.1 ? 1 : 0)} %`;
}

function milliseconds(value: number | null): string {
  return value === null ? "-" : `${value} ms`;
}

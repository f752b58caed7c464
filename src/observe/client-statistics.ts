/** What clients asked and were given: requests by method, and what the gateway's own tools put into their context. */
import { estimateTokens } from "../lib/estimate-tokens.ts";
import { Histogram } from "../lib/histogram.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

/** What a model paid to find a tool. */
export interface Discovery {
  calls: number;
  tokens: number;
}

/** What of it is kept on disk. */
export interface ClientCounts {
  readonly sessions: number;
  readonly discovery: Readonly<Record<string, Readonly<Discovery>>>;
}

export class ClientStatistics implements ClientCounts {
  /** By method, by status. */
  readonly requests = new Map<string, { ok: number; error: number }>();
  /** Sessions on `/mcp` that were shown the meta-tools; since they were last taken, as {@link discovery}. */
  sessions = 0;
  /** By meta-tool. */
  discovery: Record<string, Discovery> = {};
  readonly searches = new Histogram();

  /** @param method a known one, or `other` */
  answered(method: string, failed: boolean): void {
    let counts = this.requests.get(method);
    if (counts === undefined) {
      counts = { ok: 0, error: 0 };
      this.requests.set(method, counts);
    }
    counts[failed ? "error" : "ok"]++;
  }

  /** A meta-tool that tells of tools was answered with this result, as JSON text. */
  discovered(metaTool: string, result: string, tookMs: number): void {
    const found = this.discovery[metaTool] ?? { calls: 0, tokens: 0 };
    this.discovery[metaTool] = found;
    found.calls++;
    found.tokens += contentTokens(result);
    if (metaTool === "gateway_search_tools") this.searches.add(tookMs);
  }

  counts(anew: boolean): ClientCounts {
    const { sessions, discovery } = this;
    if (anew) {
      this.sessions = 0;
      this.discovery = {};
    }
    return { sessions, discovery };
  }
}

/** Of the text blocks: `structuredContent` is for programs. */
function contentTokens(result: string): number {
  const { content }: { content?: unknown } = JSON.parse(result);
  const texts = Array.isArray(content) ? content.map((block: Json) => (isJsonObject(block) ? block["text"] : "")) : [];
  return texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? estimateTokens(text) : 0), 0);
}

export function mergedCounts(a: ClientCounts, b: ClientCounts): ClientCounts {
  const names = new Set([...Object.keys(a.discovery), ...Object.keys(b.discovery)]);
  const sum = (name: string, of: "calls" | "tokens") => (a.discovery[name]?.[of] ?? 0) + (b.discovery[name]?.[of] ?? 0);
  return {
    sessions: a.sessions + b.sessions,
    discovery: Object.fromEntries(
      [...names].map((name) => [name, { calls: sum(name, "calls"), tokens: sum(name, "tokens") }]),
    ),
  };
}

/** From a file. */
export function readCounts(value: Json | undefined): ClientCounts {
  if (!isJsonObject(value)) return { sessions: 0, discovery: {} };
  const number = (one: unknown) => (typeof one === "number" && Number.isFinite(one) && one >= 0 ? one : 0);
  const discovery = isJsonObject(value["discovery"]) ? value["discovery"] : {};
  const entries = Object.entries(discovery).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
  return {
    sessions: number(value["sessions"]),
    discovery: Object.fromEntries(
      entries.slice(0, 32).map(([name, { calls, tokens }]) => [name, { calls: number(calls), tokens: number(tokens) }]),
    ),
  };
}

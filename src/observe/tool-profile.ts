/** What is known of how one tool behaves: how often it was called, how it ended, how long it took, hour by hour. */

import type { CallRecord } from "../core/call-record.ts";
import { Histogram, latencyBoundsMs, quantile } from "../lib/histogram.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { type CallKind, callKinds, isTimed, noCalls } from "./call-kind.ts";

/** Calls of one hour: calendar hours since 1970, calls, those that ended badly, sum of their times in milliseconds. */
export type Hour = readonly [hour: number, calls: number, errors: number, sumMs: number];

const hourMs = 3_600_000;
/** A week, for "the last day against the days before". */
const keptHours = 168;
const dayHours = 24;
const enoughCalls = 10;
const maxReason = 300;
/** Kept until it is shown: secrets are taken out before it is cut to {@link maxReason}, or half of one would pass. */
const maxRawReason = 4_000;

export interface ToolProfile {
  readonly kinds: Readonly<Record<CallKind, number>>;
  /** Counters of {@link latencyBoundsMs}, of calls that the server answered or failed. */
  readonly latency: readonly number[];
  readonly sumMs: number;
  /** Of all results together. */
  readonly characters: number;
  /** Calendar milliseconds. */
  readonly lastAt: number;
  readonly lastError?: { readonly at: number; readonly code: string; readonly reason: string } | undefined;
  /** Oldest first; hours without calls are left out. */
  readonly hours: readonly Hour[];
}

/** Two observations of the same tool as one; `now` is calendar time. */
export function mergedProfiles(a: ToolProfile | undefined, b: ToolProfile | undefined): ToolProfile | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [older, newer] = a.lastAt <= b.lastAt ? [a, b] : [b, a];
  return {
    kinds: Object.fromEntries(callKinds.map((kind) => [kind, a.kinds[kind] + b.kinds[kind]])) as ToolProfile["kinds"],
    latency: a.latency.map((count, at) => count + (b.latency[at] ?? 0)),
    sumMs: a.sumMs + b.sumMs,
    characters: a.characters + b.characters,
    lastAt: newer.lastAt,
    lastError: newer.lastError ?? older.lastError,
    hours: mergedHours(a.hours, b.hours),
  };
}

function mergedHours(a: readonly Hour[], b: readonly Hour[]): Hour[] {
  const byHour = new Map<number, Hour>();
  for (const [hour, calls, errors, sumMs] of [...a, ...b]) {
    const [, moreCalls, moreErrors, moreMs] = byHour.get(hour) ?? [hour, 0, 0, 0];
    byHour.set(hour, [hour, calls + moreCalls, errors + moreErrors, sumMs + moreMs]);
  }
  return [...byHour.values()].sort(([x], [y]) => x - y).slice(-keptHours);
}

export function callsOf({ kinds }: ToolProfile): number {
  return callKinds.reduce((sum, kind) => sum + kinds[kind], 0);
}

/** As it is shown: times in milliseconds, rates from 0 to 1. @param now calendar milliseconds */
export function profileView(observed: ToolProfile, now: number, redact: (text: string) => string): JsonObject {
  const profile = plainProfile(observed, redact);
  const { kinds, latency, sumMs, characters, lastAt, lastError, hours } = profile;
  const calls = callsOf(profile);
  const timed = latency.reduce((sum, count) => sum + count, 0);
  const rounded = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms * 10) / 10);
  const asked = kinds.ok + kinds.tool_error + kinds.failed;
  return {
    calls,
    ...kinds,
    error_rate: asked === 0 ? 0 : (kinds.tool_error + kinds.failed) / asked,
    latency_mean_ms: rounded(timed === 0 ? undefined : sumMs / timed),
    latency_p50_ms: rounded(quantile(latency, 0.5)),
    latency_p95_ms: rounded(quantile(latency, 0.95)),
    latency_p99_ms: rounded(quantile(latency, 0.99)),
    result_characters_mean: kinds.ok === 0 ? null : Math.round(characters / kinds.ok),
    last_called_at: new Date(lastAt).toISOString(),
    last_error: lastError === undefined ? null : { ...lastError, at: new Date(lastError.at).toISOString() },
    trend: trendOf(hours, now),
    hours: lastHours(hours, now),
  };
}

/** The last day against the six before it; `null` where either has too few calls to say anything. */
function trendOf(hours: readonly Hour[], now: number): JsonObject | null {
  const since = Math.floor(now / hourMs) - dayHours;
  const sum = (some: readonly Hour[]) =>
    some.reduce(
      (all, [, calls, errors, sumMs]) => ({
        calls: all.calls + calls,
        errors: all.errors + errors,
        ms: all.ms + sumMs,
      }),
      { calls: 0, errors: 0, ms: 0 },
    );
  const last = sum(hours.filter(([hour]) => hour > since));
  const before = sum(hours.filter(([hour]) => hour <= since));
  if (last.calls < enoughCalls || before.calls < enoughCalls) return null;
  const [nowMs, thenMs] = [last.ms / last.calls, before.ms / before.calls];
  const ratio = thenMs === 0 ? 1 : nowMs / thenMs;
  return {
    latency_ratio: Math.round(ratio * 100) / 100,
    latency: ratio > 1.25 ? "slower" : ratio < 0.8 ? "faster" : "steady",
    error_rate: last.errors / last.calls,
    error_rate_before: before.errors / before.calls,
  };
}

/** Calls and errors of each of the last 24 hours, oldest first, those without calls included. */
function lastHours(hours: readonly Hour[], now: number): JsonObject[] {
  const current = Math.floor(now / hourMs);
  const byHour = new Map(hours.map((hour) => [hour[0], hour]));
  return Array.from({ length: dayHours }, (_, at) => {
    const [, calls, errors, sumMs] = byHour.get(current - dayHours + 1 + at) ?? [0, 0, 0, 0];
    return { calls, errors, mean_ms: calls === 0 ? null : Math.round((sumMs / calls) * 10) / 10 };
  });
}

/** One tool while it is being watched. */
export class ToolObservation implements ToolProfile {
  readonly kinds: Record<CallKind, number> = noCalls();
  characters = 0;
  lastAt = 0;
  lastError: ToolProfile["lastError"];
  readonly hours: [hour: number, calls: number, errors: number, sumMs: number][] = [];
  readonly #times = new Histogram();

  get latency(): readonly number[] {
    return this.#times.counts;
  }

  get sumMs(): number {
    return this.#times.sum;
  }

  /** @param at calendar milliseconds */
  count(call: CallRecord, kind: CallKind, at: number): void {
    this.kinds[kind]++;
    this.lastAt = at;
    const hour = Math.floor(at / hourMs);
    let slot = this.hours.at(-1);
    if (slot?.[0] !== hour) {
      slot = [hour, 0, 0, 0];
      this.hours.push(slot);
      if (this.hours.length > keptHours) this.hours.shift();
    }
    if (!isTimed(kind)) return;
    this.#times.add(call.durationMs);
    slot[1]++;
    slot[3] += call.durationMs;
    if (kind === "ok") {
      this.characters += call.characters ?? 0;
      return;
    }
    slot[2]++;
    const reason = call.reason?.slice(0, maxRawReason) ?? "The tool says that it failed";
    this.lastError = { at, code: call.outcome === "OK" ? "TOOL_ERROR" : call.outcome, reason };
  }
}

/** As it may leave the process: without secrets, and without what only matters while it is watched. */
export function plainProfile(profile: ToolProfile, redact: (text: string) => string): ToolProfile {
  const { kinds, latency, sumMs, characters, lastAt, lastError, hours } = profile;
  const error = lastError && { ...lastError, reason: redact(lastError.reason).slice(0, maxReason) };
  const rounded = hours.map(([hour, calls, errors, ms]): Hour => [hour, calls, errors, Math.round(ms)]);
  return { kinds, latency, sumMs: Math.round(sumMs), characters, lastAt, lastError: error, hours: rounded };
}

/** From a file; `undefined` for what is none. */
export function readProfile(value: Json | undefined): ToolProfile | undefined {
  if (!isJsonObject(value) || !isJsonObject(value["kinds"])) return undefined;
  const { kinds, latency, sumMs, characters, lastAt, lastError, hours } = value;
  if (!isNumbers(latency, latencyBoundsMs.length + 1) || !Array.isArray(hours)) return undefined;
  const number = (one: unknown) => (typeof one === "number" && Number.isFinite(one) && one >= 0 ? one : 0);
  const error = isJsonObject(lastError) ? lastError : undefined;
  return {
    kinds: Object.fromEntries(callKinds.map((kind) => [kind, number(kinds[kind])])) as ToolProfile["kinds"],
    latency,
    sumMs: number(sumMs),
    characters: number(characters),
    lastAt: number(lastAt),
    lastError: error && { at: number(error["at"]), code: String(error["code"]), reason: String(error["reason"]) },
    hours: hours.filter((hour): hour is Json & Hour => isNumbers(hour, 4)).slice(-keptHours),
  };
}

function isNumbers(value: unknown, length: number): value is number[] {
  return (
    Array.isArray(value) &&
    value.length === length &&
    value.every((one) => typeof one === "number" && Number.isFinite(one) && one >= 0)
  );
}

/** A gateway with misbehaving backends, for as long as one test needs it, and what is looked at from outside. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type GatewayOptions, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import type { Client } from "./client.ts";

/** Ends the gateway whatever happens. Killed rather than stopped: its warden ends what it started. */
export async function withGateway(
  config: object,
  use: (gateway: GatewayProcess) => Promise<unknown>,
  options: GatewayOptions = {},
): Promise<void> {
  const gateway = await startGateway({ capabilities: { enabled: false }, ...config }, options);
  try {
    await use(gateway);
  } catch (error) {
    console.error(gateway.stderr().slice(-4_000));
    throw error;
  } finally {
    await gateway.stop("SIGKILL");
  }
}

/** The raw stdio server; see the flags and tools of the fixture. */
export function rawBackend(...flags: string[]): { command: string[] } {
  return { command: scriptArgv("stdio-backend.mjs", ...flags) };
}

/** Settings of `failsafe` under which only the fault itself shows. */
export const unlimited = { rate_limit: { enabled: false }, circuit_breaker: { enabled: false } };

export interface Health {
  readonly status: string;
  readonly degraded: readonly string[];
  readonly config_error?: string;
  readonly backends: Readonly<
    Record<string, { readonly pid: number | null; readonly restart_count: number; readonly circuit_state: string }>
  >;
}

export async function health({ port }: { readonly port: number }): Promise<Health> {
  return (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Health;
}

/** Asks until the answer is as wanted; rejects with the last answer when that takes too long. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  wanted: (answer: T) => boolean,
  limitMs = 8_000,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > endMs)
      assert.fail(`Not so within ${limitMs} ms: ${wanted}; last: ${JSON.stringify(answer)}`);
    await sleep(20);
  }
}

/**
 * Somebody whose own backend is fine: calls it all the time until stopped, and then must have had every answer, none
 * of them late. The bound is far above what a busy machine needs and far below a stalled event loop.
 */
export function bystander(client: Client, server?: string): () => Promise<void> {
  const slowestMs = 3_000;
  let running = true;
  const done = (async () => {
    for (let n = 0; running; n++) {
      const args = { text: `bystander ${n}` };
      const outcome = await (server === undefined ? client.call("echo", args) : client.invoke(server, "echo", args));
      assert.equal(outcome.text, args.text);
      assert.ok(outcome.tookMs < slowestMs, `a bystander waited ${outcome.tookMs} ms`);
      await sleep(5);
    }
  })();
  // Looked at when stopped.
  done.catch(() => {});
  return () => {
    running = false;
    return done;
  };
}

/** Resident memory of a process. */
export function rssMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
  return (pages * 4_096) / 1_048_576;
}

/** The most resident memory seen until stopped. */
export function peakRssMb(pid: number): () => number {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, rssMb(pid));
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    return peak;
  };
}

export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** Runs a playbook: one step after the other, each through the same pipeline as every other call. */
import { Answer } from "../../core/answer.ts";
import { CancelledError, GatewayError } from "../../core/errors.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import { Cancellation, eitherOf } from "../../lib/cancellation.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { sleep } from "../../lib/sleep.ts";
import type { MetaContext } from "../meta-tool.ts";
import { resolveServer } from "../resolve-server.ts";
import { failureText, toolValue } from "../tool-value.ts";
import { holds } from "./condition.ts";
import type { Playbook, PlaybookStep } from "./playbook.ts";
import { fillTemplate, MissingValue, valueAt } from "./templates.ts";

const retryPause = { initialMs: 500, maxMs: 10_000, multiplier: 2 };

interface Failure {
  readonly step: string;
  readonly tool: string;
  readonly error: string;
}

/**
 * `{output, steps_completed, steps_skipped, steps_failed, duration_ms}`; where steps failed also `failures`, and
 * `isError` when one of them ended the playbook. Output that leads to a step without a result is its fallback or null.
 */
export async function runSteps(playbook: Playbook, inputs: JsonObject, context: MetaContext): Promise<Answer> {
  const startedMs = context.clock.now();
  const values = new Map<string, Json>([["inputs", inputs]]);
  const failures: Failure[] = [];
  const blocks: JsonObject[] = [];
  let completed = 0;
  let skipped = 0;
  let aborted = false;
  const time = new Cancellation();
  const timeUp = new GatewayError("TIMEOUT", `Playbook "${playbook.name}" took longer than ${playbook.timeoutMs} ms`);
  const cancelTimer = context.clock.after(playbook.timeoutMs, () => time.abort(timeUp));
  const { signal, release } = eitherOf(context.signal, time);
  try {
    for (const [at, step] of playbook.steps.entries()) {
      if (at > 0) context.report(at, playbook.steps.length, step.name);
      // What is not there is null for the steps after it.
      if (step.condition !== undefined && !holds(step.condition, values)) {
        skipped++;
        values.set(step.name, null);
        continue;
      }
      const outcome = await runStep(step, values, context, signal);
      if (context.signal.aborted) throw context.signal.reason;
      if ("error" in outcome) {
        failures.push({ step: step.name, tool: `${step.server}:${step.tool}`, error: outcome.error });
        values.set(step.name, null);
        values.set("prev", null);
        aborted = step.onError !== "continue" || time.aborted;
        if (aborted) break;
      } else {
        completed++;
        values.set(step.name, outcome.value);
        values.set("prev", outcome.value);
        blocks.push(...outcome.blocks);
      }
    }
  } finally {
    cancelTimer();
    release();
  }
  const result: JsonObject = {
    output: outputOf(playbook, values),
    steps_completed: completed,
    steps_skipped: skipped,
    steps_failed: failures.length,
    duration_ms: Math.round(context.clock.now() - startedMs),
    ...(failures.length > 0 && { failures: failures as unknown as Json }),
  };
  const content = [{ type: "text", text: JSON.stringify(result) }, ...blocks];
  return Answer.of({ content, ...(aborted && { isError: true }) });
}

type Outcome = { readonly value: Json; readonly blocks: readonly JsonObject[] } | { readonly error: string };

async function runStep(
  step: PlaybookStep,
  values: ReadonlyMap<string, Json>,
  context: MetaContext,
  signal: CancelSignal,
): Promise<Outcome> {
  const retries = step.onError === "retry" ? step.maxRetries : 0;
  for (let retry = 0; ; retry++) {
    const outcome = await attempt(step, values, context, signal);
    if (!("error" in outcome) || retry === retries || signal.aborted) return outcome;
    // Ends early with the playbook, whose reason is told then.
    await sleep(backoffMs(retry + 1, retryPause), signal, context.clock).catch(() => {});
    if (signal.aborted) return { error: sentence(signal.reason) };
  }
}

async function attempt(
  step: PlaybookStep,
  values: ReadonlyMap<string, Json>,
  context: MetaContext,
  signal: CancelSignal,
): Promise<Outcome> {
  if (signal.aborted) return { error: sentence(signal.reason) };
  try {
    const server = resolveServer(step.server, context);
    const args = fillTemplate(step.arguments, values) as JsonObject;
    const outcome = toolValue(await context.callTool(server, step.tool, args, { signal }));
    return outcome.isError ? { error: failureText(outcome) } : outcome;
  } catch (error) {
    if (error instanceof MissingValue) return { error: error.message };
    if (!(error instanceof GatewayError)) throw error;
    return { error: sentence(error instanceof CancelledError && signal.aborted ? signal.reason : error) };
  }
}

function outputOf({ output }: Playbook, values: ReadonlyMap<string, Json>): Json {
  if (output === undefined)
    return Object.fromEntries(
      [...values].filter(([name, value]) => !["inputs", "prev"].includes(name) && value !== null),
    );
  return Object.fromEntries(
    output.map(({ key, path, fallback }) => {
      try {
        return [key, valueAt(path, values)];
      } catch (error) {
        if (!(error instanceof MissingValue)) throw error;
        return [key, fallback ?? null];
      }
    }),
  );
}

function sentence(error: unknown): string {
  if (!(error instanceof GatewayError)) return String(error);
  return `${error.code}: ${error.message}${error.hint === undefined ? "" : `. ${error.hint}`}`;
}

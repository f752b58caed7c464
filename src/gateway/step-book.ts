/**
 * The steps that sessions take, on disk, so that what is usual outlives the process. Several gateways may share the file:
 * each adds what it learned to what the file says at that moment. Loaded where the configuration wants steps judged or
 * predicted.
 */
import type { Catalog } from "../catalog/catalog.ts";
import { mayUseTool } from "../core/scope.ts";
import type { Clock } from "../lib/clock.ts";
import { DelayedWrite } from "../lib/delayed-write.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { isForModels } from "../meta/visible.ts";
import { readText, writeAtomic } from "../runtime/files.ts";
import type { StepJudge } from "../stages/firewall/firewall-step-stage.ts";
import { SessionSteps } from "../stages/steps/session-steps.ts";
import { StepCounts } from "../stages/steps/step-counts.ts";
import { stepTool } from "../stages/steps/step-tool.ts";
import type { NextTool, PredictNext, Steps } from "../stages/steps/steps-stage.ts";

const formatVersion = 1;
const maxFileBytes = 32 * 1_048_576;
const saveAfterMs = 30_000;

export interface StepBook {
  readonly steps: Steps;
  readonly judge: StepJudge;
  readonly predict: PredictNext;
  forget(sessionId: string): void;
  /** Resolves when what was learned is written, or cannot be. */
  flush(): Promise<void>;
}

export interface StepBookOptions {
  /** `undefined` keeps them in memory. */
  readonly path: string | undefined;
  readonly clock: Pick<Clock, "after">;
  readonly catalog: Pick<Catalog, "servers" | "tool">;
  /** Called with the first error of a series, and with `undefined` when writing works again. */
  onProblem(error: unknown): void;
}

export async function openStepBook({ path, clock, catalog, onProblem }: StepBookOptions): Promise<StepBook> {
  const sessions = new SessionSteps();
  let counts = path === undefined ? new StepCounts() : await read(path);
  /** Learned, but not on disk. */
  let unsaved = new StepCounts();
  const file =
    path === undefined
      ? undefined
      : new DelayedWrite({ clock, afterMs: saveAfterMs, onProblem, write: () => write(path) });

  async function write(path: string): Promise<void> {
    const taken = unsaved;
    unsaved = new StepCounts();
    const now = await read(path);
    now.addAll(taken);
    try {
      await writeAtomic(path, JSON.stringify({ version: formatVersion, steps: now }), { mode: 0o600, sync: false });
    } catch (error) {
      taken.addAll(unsaved);
      unsaved = taken;
      throw error;
    }
    // What was learned while it was written is not in it.
    now.addAll(unsaved);
    counts = now;
  }

  return {
    steps: {
      move: (sessionId, tool) => sessions.move(sessionId, tool),
      learn(sessionId, from, to) {
        if (!sessions.isLesson(sessionId, from, to)) return;
        counts.add(from, to);
        if (file === undefined) return;
        unsaved.add(from, to);
        file.touch();
      },
    },
    judge(call) {
      const to = stepTool(call);
      const from = call.sessionId === undefined ? undefined : sessions.last(call.sessionId);
      const score = from === undefined || to === undefined ? undefined : counts.unusualness(from, to);
      return score === undefined ? undefined : { score, from: from as string };
    },
    predict({ caller }, from) {
      return counts.predictions(from).flatMap(({ tool: name, confidence }): NextTool[] => {
        // Those that are switched off are not among them.
        const server = catalog.servers.find((one) => name.startsWith(`${one.name}:`))?.name;
        if (server === undefined) return [];
        const tool = name.slice(server.length + 1);
        const listed = catalog.tool(server, tool);
        const isVisible = listed !== undefined && isForModels(listed) && mayUseTool(caller, server, tool);
        return isVisible ? [{ server, tool, confidence }] : [];
      });
    },
    forget: (sessionId) => sessions.forget(sessionId),
    async flush() {
      await file?.flush();
    },
  };
}

/** A file that is missing, broken or of something else is as good as none. */
async function read(path: string): Promise<StepCounts> {
  try {
    const file = JSON.parse(await readText(path, maxFileBytes)) as Json;
    return StepCounts.read(isJsonObject(file) && file["version"] === formatVersion ? file["steps"] : undefined);
  } catch {
    return new StepCounts();
  }
}

/**
 * Where calls and answers are seen on their way: each call gets its line in the log, and is counted. What is done with it is loaded with the first of them: most starts are
 * over before there is one.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { AnswerSink } from "../clients/host.ts";
import type { Caller } from "../core/caller.ts";
import type { Logger } from "../core/log.ts";
import type { ProjectedAnswer } from "../core/projected-answer.ts";
import type { Clock } from "../lib/clock.ts";
import { CallCounts } from "../observe/call-counts.ts";
import type { Observatory } from "../observe/observatory.ts";
import { CallsUnderWay } from "../stages/record/calls-under-way.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import { callLog } from "./call-log.ts";

export interface CallWatch {
  readonly underWay: CallsUnderWay;
  /** Since the gateway started. */
  readonly counts: CallCounts;
  readonly onCall: CallSink;
  readonly onAnswer: AnswerSink;
  /** A client that is shown the meta-tools has connected. */
  onSession(): void;
  /** A capability answered in a session that is compared with others. */
  onProjected(answer: ProjectedAnswer): void;
  observatory(): Promise<Observatory>;
  /** Writes down what was seen, if anything was. */
  flush(): Promise<void>;
}

/** Of 2026-07-28, not in the tables of methods. */
const statelessMethods = ["server/discover", "subscriptions/listen"];

/** What a model pays for to find a tool; the result of `gateway_invoke` it would pay for in any case. */
const discoveryTools = ["gateway_search_tools", "gateway_list_tools", "gateway_list_servers", "gateway_search"];

/** The first answers leave before that takes the processor. */
const loadAfterMs = 20;

export interface CallWatchOptions {
  readonly catalog: Pick<Catalog, "list" | "tool">;
  readonly log: Logger;
  readonly clock: Clock;
  /** Where profiles are kept; `undefined` keeps them in memory. */
  readonly stateDirectory: string | undefined;
  redact(text: string): string;
  /** Told of every call too. */
  readonly onCall?: CallSink;
  /** Told of every answer to a client, and what it failed with. */
  onOutcome?(caller: Caller, failure: unknown): void;
  /** Whether refusals of the tool policy are worth a warning; yes, if left out. */
  logsDenied?(): boolean;
  /** Told when profiles cannot be written, and with `undefined` when they can be again. */
  onProblem(error: unknown): void;
}

export function watchCalls({ catalog, log, stateDirectory, ...options }: CallWatchOptions): CallWatch {
  const logCall = callLog(log, options.redact, options.logsDenied);
  const counts = new CallCounts();
  let observatory: Observatory | undefined;
  let isMethod = (_name: string) => false;
  let loading: Promise<Observatory> | undefined;
  const waiting: ((observatory: Observatory) => void)[] = [];

  async function load(): Promise<Observatory> {
    const [module, methods] = await Promise.all([import("../observe/observatory.ts"), import("../clients/methods.ts")]);
    isMethod = (name) => methods.isMethod(name) || statelessMethods.includes(name);
    observatory = new module.Observatory({
      ...options,
      now: Date.now,
      isListed: (server, tool) =>
        catalog.list(server, "tools") === undefined ? undefined : catalog.tool(server, tool) !== undefined,
      profilePath: stateDirectory === undefined ? undefined : `${stateDirectory}/profiles.json`,
    });
    for (const tell of waiting.splice(0)) tell(observatory);
    return observatory;
  }

  function see(tell: (observatory: Observatory) => void): void {
    if (observatory === undefined) {
      waiting.push(tell);
      if (loading === undefined && waiting.length === 1) options.clock.after(loadAfterMs, () => void observatoryNow());
    } else tell(observatory);
  }

  function observatoryNow(): Promise<Observatory> {
    loading ??= load();
    return loading;
  }

  function onSession(): void {
    see(({ clients }) => {
      clients.sessions++;
    });
  }

  return {
    underWay: new CallsUnderWay(),
    counts,
    onCall(record, call, answer) {
      counts.note(record);
      logCall(record);
      options.onCall?.(record, call, answer);
      if (observatory !== undefined) observatory.record(record);
      else see((loaded) => loaded.record(record));
    },
    onAnswer({ method, params }, { caller, backend }, result, tookMs, failure) {
      options.onOutcome?.(caller, failure);
      const tool = params?.["name"];
      const finds = method === "tools/call" && backend === undefined && discoveryTools.includes(tool as string);
      see(({ clients }) => clients.answered(isMethod(method) ? method : "other", result === undefined));
      // Without sessions, this is how a client begins.
      if (method === "server/discover" && backend === undefined && result !== undefined) onSession();
      if (finds && result !== undefined) see((loaded) => loaded.discovered(tool as string, result, tookMs));
    },
    onSession,
    onProjected: (answer) => see(({ projections }) => projections.note(answer)),
    observatory: observatoryNow,
    async flush() {
      if (waiting.length > 0) await observatoryNow();
      await (await loading)?.flush();
    },
  };
}

/** What operators see of a running gateway and may do to it, beyond what its clients can: for the management API. */

import type { Act, SecurityEventSink } from "../core/security-event.ts";
import type { Upstream } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Observatory } from "../observe/observatory.ts";
import type { Breaker } from "../stages/breaker/breaker.ts";
import type { CallsUnderWay } from "../stages/record/calls-under-way.ts";
import type { StageStates } from "../stages/stage-states.ts";
import type { ReloadOutcome } from "./gateway.ts";
import type { ListKeeper } from "./list-keeper.ts";
import type { ServerLog, ServerLogLine } from "./server-log.ts";
import type { CallWatch } from "./watch-calls.ts";

export interface Revival {
  readonly breakerWasOpen: boolean;
  /** Why it could not be started; `undefined` when it runs. */
  readonly error: string | undefined;
}

/** The file the configuration came from, and how to read it again. */
export interface ConfigFileLink {
  /** Absolute. */
  readonly path: string;
  /** Puts what the file says now in force. @throws ConfigError and changes nothing when it cannot be used */
  reload(): Promise<ReloadOutcome>;
}

export interface Operation {
  readonly underWay: CallsUnderWay;
  observatory(): Promise<Observatory>;
  /** The last that was logged about a backend; may hold secrets. */
  logOf(server: string): readonly ServerLogLine[];
  /** `undefined` for a name that is not configured, or switched off. */
  breakerOf(server: string): Breaker | undefined;
  /** Asks a server for its tools when they were never seen, waking it. Rejects with why it could not be asked. */
  ensureTools(server: string): Promise<void>;
  /** Forgives its failures, closes the circuit and starts the server anew; resolves when it is there, or with why it is not. */
  revive(server: string, act: Act): Promise<Revival>;
  /** Ends the server's connection and process; its next call starts it again. */
  stop(server: string, act: Act): Promise<void>;
  /** Takes secrets out of a text. */
  redact(text: string): string;
  /** `undefined` where there is no file. */
  readonly configFile: ConfigFileLink | undefined;
}

export interface RunningOperation extends Operation {
  /** Set by who knows the file. */
  configFile: ConfigFileLink | undefined;
}

export interface OperationParts {
  readonly watch: CallWatch;
  readonly serverLog: ServerLog;
  readonly stageStates: StageStates;
  /** @throws DeniedError SERVER_NOT_FOUND, SERVER_DISABLED */
  upstreamOf(server: string): Upstream;
  lists(): ListKeeper;
  redact(text: string): string;
  readonly stopping: CancelSignal;
  readonly note: SecurityEventSink;
}

export function createOperation(parts: OperationParts): RunningOperation {
  const { watch, serverLog, stageStates, upstreamOf, lists, redact, stopping, note } = parts;
  const breakerOf = (server: string) => stageStates.of(server)?.breaker;
  return {
    underWay: watch.underWay,
    observatory: watch.observatory,
    configFile: undefined,
    logOf: (server) => serverLog.linesOf(server),
    breakerOf,
    ensureTools: (server) => lists().ensureListed(server, "tools"),
    redact,
    async stop(server, act) {
      const upstream = upstreamOf(server);
      note({ action: "server-stopped", server, ...act });
      await upstream.restart();
    },
    async revive(server, act) {
      const upstream = upstreamOf(server);
      const breaker = breakerOf(server);
      const killSwitch = stageStates.made(server)?.killSwitch;
      const breakerWasOpen = breaker !== undefined && breaker.state !== "closed";
      breaker?.reset();
      const wasKilled = killSwitch !== undefined && killSwitch.restMs > 0;
      note({ action: wasKilled ? "server-revived" : "server-restarted", server, ...act });
      killSwitch?.revive();
      await upstream.restart();
      try {
        await upstream.start(stopping);
        return { breakerWasOpen, error: undefined };
      } catch (error) {
        return { breakerWasOpen, error: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

/** An MCP server as a child process (basic/transports, "stdio"): one process is one session, shared by all clients. */
import { CancelledError, GatewayError, UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Connect, Connection } from "../../core/upstream.ts";
import type { Clock } from "../../lib/clock.ts";
import { DuplexSession } from "../../mcp/duplex-session.ts";
import { createPeer } from "../../mcp/peer.ts";
import { childEnvironment } from "../../runtime/child-environment.ts";
import { createShortWait } from "../../runtime/short-wait.ts";
import { type Child, type Exit, type SpawnError, type SpawnOptions, spawnChild } from "../../runtime/spawn.ts";
import type { Launch, Program } from "../isolation/launch.ts";
import { createMessageReader } from "../message-reader.ts";
import { createStderrRing } from "./stderr-ring.ts";

export interface StdioSettings {
  readonly name: string;
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  readonly cwd?: string | undefined;
  /** Added to PATH, HOME, TMPDIR and LANG, which is all that is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Asked at every start what is started in place of the program; by default it is the program itself. */
  readonly isolate?: ((program: Program) => Launch) | undefined;
  /** Time after which the process is ended, whatever it does. */
  readonly maxLifeMs?: number | undefined;
  readonly maxResultBytes: number;
  /** Protocol revision to offer first. */
  readonly offer?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes secrets out of stderr before it becomes part of an error. */
  redact(text: string): string;
  /** How long each step of stopping waits: for the end after stdin was closed, and again after SIGTERM. */
  readonly stopStepMs?: number | undefined;
  /** Bytes of requests the server may leave unread, and for how long. */
  readonly maxUnreadBytes?: number | undefined;
  readonly unreadMs?: number | undefined;
}

const defaultStopStepMs = 2_000;
const defaultMaxUnreadBytes = 64 * 1024 * 1024;
const defaultUnreadMs = 30_000;

export function stdioConnect(settings: StdioSettings): Connect {
  const { name, clock, maxResultBytes } = settings;
  const log = settings.log.with({ server: name });

  return async (signal, events): Promise<Connection> => {
    const stderr = createStderrRing((line) => log.debug(line, { stream: "stderr" }));
    const withStderr = (text: string) => {
      const last = settings.redact(stderr.tail);
      return last === "" ? text : `${text}; last stderr: ${last}`;
    };
    /** Why we ended it; `undefined` when it ended by itself. */
    let ended: string | undefined;
    const answerWait = createShortWait();
    /** For the next request of a client that makes one after the other. */
    const requestWait = createShortWait();

    const fail = (what: string) =>
      peer.fail(new UpstreamError("UPSTREAM_CLOSED", `Server "${name}" ${what}`, { data: { server: name } }));

    /** Resolves with the reason once the server cannot be talked to any more, which may be before its process is gone. */
    const lost = Promise.withResolvers<string>();

    const abandon = (what: string) => {
      ended ??= what;
      fail(what);
      lost.resolve(what);
      child.killGroup("SIGKILL");
    };

    const peer = createPeer({
      serverName: name,
      send(text) {
        requestWait.end();
        child.write(`${text}\n`);
        // With more of them under way there is work to do meanwhile.
        if (peer.inFlight === 1) answerWait.begin();
      },
      onNotification: (method, params) => session.onNotification(method, params),
      onRefused: (method, reason) => log.info("A request of the server was not relayed", { method, reason }),
    });

    const session = new DuplexSession({ serverName: name, clock, offer: settings.offer, peer, events });

    const messages = createMessageReader({
      serverName: name,
      peer,
      maxResultBytes,
      log,
      onEndless: () => abandon("was killed because it wrote a line without end"),
    });

    const child = await launch(settings, {
      onStdout(chunk) {
        answerWait.end();
        messages.read(chunk);
        if (peer.inFlight === 0) requestWait.begin();
      },
      onStderr: stderr.push,
      onStalled: (bytes) => abandon(`was killed because it stopped reading its input: ${bytes} bytes were waiting`),
    });

    const { maxLifeMs } = settings;
    const cancelEnd =
      maxLifeMs === undefined
        ? () => {}
        : clock.after(maxLifeMs, () => abandon(`was ended after the ${maxLifeMs / 1_000} s it may run`));

    void lost.promise.then(() => session.close());

    const gone = child.exited.then((exit) => {
      cancelEnd();
      const reason = ended ?? withStderr(exitText(exit));
      fail(reason);
      lost.resolve(reason);
      log.debug("The server process ended", {
        reason,
        noiseLines: messages.noiseLines,
        droppedMessages: peer.dropped,
      });
    });

    const stop = async () => {
      ended ??= "was stopped by the gateway";
      session?.close();
      fail(ended);
      const stepMs = settings.stopStepMs ?? defaultStopStepMs;
      child.endInput();
      if (await endsWithin(stepMs, gone, clock)) return;
      child.killGroup("SIGTERM");
      if (await endsWithin(stepMs, gone, clock)) return;
      child.killGroup("SIGKILL");
      await gone;
    };
    let stopping: Promise<void> | undefined;

    try {
      const description = await session.open(signal);
      return {
        description,
        pid: child.pid,
        request: session.request,
        notify: (method, params) => session.notify(method, params),
        closed: lost.promise,
        close: () => {
          stopping ??= stop().then(() => child.gone);
          return stopping;
        },
      };
    } catch (error) {
      // Nothing runs in it yet that would deserve a grace.
      ended ??= "did not start";
      child.killGroup("SIGKILL");
      await gone;
      await child.gone;
      throw startError(error, name, withStderr);
    }
  };
}

function asItIs({ argv, env, cwd }: Program): Launch {
  return { argv, env: childEnvironment(env), cwd };
}

type Streams = Pick<SpawnOptions, "onStdout" | "onStderr" | "onStalled">;

async function launch({ isolate = asItIs, ...settings }: StdioSettings, streams: Streams): Promise<Child> {
  const { argv, env, cwd } = settings;
  try {
    return await spawnChild({
      ...isolate({ argv, env, cwd }),
      maxWaitingBytes: settings.maxUnreadBytes ?? defaultMaxUnreadBytes,
      writeStallMs: settings.unreadMs ?? defaultUnreadMs,
      ...streams,
    });
  } catch (error) {
    const { message, hint } = error as SpawnError;
    const data = { server: settings.name };
    throw new UpstreamError("UPSTREAM_START_FAILED", `Server "${settings.name}": ${message}`, {
      hint,
      cause: error,
      data,
    });
  }
}

/** What went wrong in the handshake, as a failure to start, with what the server said about it on stderr. */
function startError(error: unknown, name: string, withStderr: (text: string) => string): unknown {
  if (!(error instanceof GatewayError) || error instanceof CancelledError) return error;
  const { code, hint, data } = error;
  // A connection that closed has said so already.
  let message = code === "UPSTREAM_CLOSED" ? error.message : withStderr(error.message);
  if (error instanceof UpstreamRpcError) message = `Server "${name}" refused "initialize": ${message}`;
  return new UpstreamError(code === "UPSTREAM_PROTOCOL" ? code : "UPSTREAM_START_FAILED", message, {
    hint,
    data,
    cause: error,
  });
}

function exitText({ code, signal }: Exit): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}

/** Whether it settles in time. */
async function endsWithin(ms: number, settled: Promise<unknown>, clock: Clock): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<false>((resolve) => {
    cancel = clock.after(ms, () => resolve(false));
  });
  const inTime = await Promise.race([settled.then(() => true), late]);
  cancel();
  return inTime;
}

/**
 * Keeps Tailscale's own program running in front of the gateway, as the configuration says. It is a child as servers are:
 * of a group of its own that ends with us however we end, and started again, later each time, when it ends by itself.
 */
import type { Logger } from "../../core/log.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { stableJson } from "../../lib/json.ts";
import { sleep } from "../../lib/sleep.ts";
import { childEnvironment } from "../../runtime/child-environment.ts";
import { type Child, type SpawnError, spawnChild } from "../../runtime/spawn.ts";
import { restartDelayMs } from "../../upstreams/restart-delay.ts";
import { createStderrRing } from "../../upstreams/stdio/stderr-ring.ts";
import type { HttpDoor } from "../http/listen.ts";
import type { TunnelSettings } from "./schema.ts";
import { AddressReader, tailscaleArgv } from "./tailscale.ts";
import { tunnelEnd } from "./tunnel-end.ts";

export interface Tunnel {
  /** Opens it, opens it anew or closes it, where the settings say something else than before. */
  follow(settings: TunnelSettings | undefined): void;
  /** Resolves when the program and all it started have ended. */
  close(): Promise<void>;
}

export interface TunnelOptions {
  /** What it leads to; told the name it is reached by for as long as the tunnel is open. */
  readonly door: Pick<HttpDoor, "url" | "setTunnel">;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
}

/** A tunnel that was open so long was no failure. */
const soundMs = 60_000;
/** Getting a certificate for the first time takes a while; waiting for a person takes longer. */
const patienceMs = 30_000;
const stopStepMs = 2_000;

export function createTunnel({ door, log, clock, random = Math.random }: TunnelOptions): Tunnel {
  let inForce: string | undefined;
  let stopping = new Cancellation();
  /** Resolves when no program of an earlier configuration is left. */
  let over: Promise<void> = Promise.resolve();

  async function keepOpen(settings: TunnelSettings, until: Cancellation): Promise<void> {
    let failures = 0;
    while (!until.aborted) {
      const startedMs = clock.now();
      const reason = await openOnce(settings, until);
      if (reason === undefined || until.aborted) return;
      failures = clock.now() - startedMs >= soundMs ? 1 : failures + 1;
      const waitMs = Math.round(restartDelayMs(failures, random));
      log.warn("The tunnel is closed, and will be opened again", { reason, wait_ms: waitMs });
      await sleep(waitMs, until, clock).catch(() => {});
    }
  }

  /** Resolves with the reason when the program has ended; `undefined` where trying again is no use. */
  async function openOnce(settings: TunnelSettings, until: Cancellation): Promise<string | undefined> {
    const address = new AddressReader();
    const output = createStderrRing((line) => {
      log.info(line, { program: "tailscale" });
      const found = address.read(line);
      if (found === undefined || until.aborted) return;
      cancelWarning();
      door.setTunnel(tunnelEnd(found.host));
      log.info("The tunnel is open", { url: `${found.url}/mcp`, mode: settings.mode });
    });
    const cancelWarning = clock.after(patienceMs, () =>
      log.warn("The tunnel is still not open: see what Tailscale says above", { waited_ms: patienceMs }),
    );
    try {
      const child = await spawnChild({
        argv: tailscaleArgv(settings, door.url),
        env: childEnvironment({}),
        maxWaitingBytes: 1,
        writeStallMs: stopStepMs,
        onStdout: output.push,
        onStderr: output.push,
        onStalled() {},
      });
      // There is nobody to answer what it may ask.
      child.endInput();
      const { code, signal } = await ended(child, until);
      const how = signal === null ? `it exited with code ${code}` : `it was killed by ${signal}`;
      return output.tail === "" ? how : `${how}; it said: ${output.tail}`;
    } catch (error) {
      log.error("The tunnel cannot be opened; the gateway serves without it", {
        reason: (error as SpawnError).message,
        fix: "Install Tailscale, or set tunnel.executable to its full path; then restart, or change the configuration",
      });
      return undefined;
    } finally {
      cancelWarning();
      door.setTunnel(undefined);
    }
  }

  async function ended(child: Child, until: Cancellation) {
    let cancelKill = () => {};
    const stop = () => {
      child.killGroup("SIGTERM");
      cancelKill = clock.after(stopStepMs, () => child.killGroup("SIGKILL"));
    };
    if (until.aborted) stop();
    else until.addEventListener("abort", stop);
    const exit = await child.exited;
    until.removeEventListener("abort", stop);
    cancelKill();
    return exit;
  }

  const tunnel: Tunnel = {
    follow(settings) {
      const wanted = settings?.enabled === true ? stableJson(settings) : undefined;
      if (wanted === inForce) return;
      inForce = wanted;
      stopping.abort();
      const until = new Cancellation();
      stopping = until;
      // One after the other: two programs cannot have the same address.
      if (settings?.enabled === true) over = over.then(() => keepOpen(settings, until));
    },
    close() {
      tunnel.follow(undefined);
      return over;
    },
  };
  return tunnel;
}

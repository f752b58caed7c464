/**
 * Puts the definition guard between backends and catalog, and tells the quarantine stage what it holds. The guard itself is
 * loaded with the first list of tools.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { Approval, DefinitionGuard, HeldTool } from "../catalog/integrity/definition-guard.ts";
import type { PinOwner, PinStore } from "../catalog/integrity/pin-store.ts";
import type { ToolIntegritySettings } from "../catalog/integrity/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Act, SecurityEventSink } from "../core/security-event.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Watcher } from "../runtime/watch.ts";
import type { ToolGate } from "../stages/quarantine/quarantine-stage.ts";

export interface ToolIntegrity {
  /** For the stages of one backend. */
  gate(server: string): ToolGate;
  /**
   * What of a backend's tools clients may see.
   * @param deviations other definitions of the same tools, as other replicas of the backend list them
   */
  admit(
    server: string,
    tools: readonly JsonObject[],
    deviations: readonly JsonObject[],
  ): Promise<readonly JsonObject[]>;
  /** Why the tool is held, as far as is known without waiting for its server. */
  whyHeld(server: string, tool: string): Promise<string | undefined>;
  /** The backend may list something else now. */
  onConnected(server: string): void;
  /** Asking the backend for its tools came to an end, whichever. */
  onAsked(server: string): void;
  held(): Promise<readonly HeldTool[]>;
  /** Approves the definition with this digest, if it is the one that is held; the tool may be called then. */
  approve(server: string, tool: string, digest: string, act: Act): Promise<Approval>;
  flush(): Promise<void>;
  close(): void;
}

export interface ToolIntegrityOptions {
  readonly settings: () => ToolIntegritySettings;
  /** Name of the backend and hash of its definition; `undefined` for one whose tools are the operator's own files. */
  readonly ownerOf: (server: string) => PinOwner | undefined;
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly clock: Clock;
  /** Directory of the pins; `undefined` keeps them in memory. */
  readonly directory: string | undefined;
  onProblem(error: unknown): void;
  /** A tool was approved: what is listed may be more now. */
  onFreed(server: string): void;
  /** A tool was quarantined or approved. */
  readonly onVerdict: SecurityEventSink;
}

/** So long a first call waits for the list of a server that has just started. */
const patienceMs = 3_000;

interface GateState {
  /** Whether the list of the current connection was judged, or could not be had. */
  isSettled: boolean;
  isHolding: boolean;
  readonly waiting: Set<() => void>;
  watcher: Watcher | undefined;
}

export function createToolIntegrity(options: ToolIntegrityOptions): ToolIntegrity {
  const { settings, ownerOf, catalog, clock } = options;
  const states = new Map<string, GateState>();
  let loading: Promise<{ guard: DefinitionGuard; store: PinStore | undefined }> | undefined;
  let isClosed = false;

  function stateOf(server: string): GateState {
    const state = states.get(server) ?? { isSettled: false, isHolding: false, waiting: new Set(), watcher: undefined };
    states.set(server, state);
    return state;
  }

  function load() {
    loading ??= (async () => {
      const { createDefinitionGuard } = await import("../catalog/integrity/definition-guard.ts");
      const { createPinStore } = await import("../catalog/integrity/pin-store.ts");
      const { directory, log, onProblem, onVerdict } = options;
      const store = directory === undefined ? undefined : createPinStore(directory);
      return {
        guard: createDefinitionGuard({ store, settings, log, clock, now: Date.now, onProblem, onVerdict }),
        store,
      };
    })();
    return loading;
  }

  /** Tool names of other backends that cannot be taken for ordinary words, and that this one does not have itself. */
  function otherTools(server: string, tools: readonly JsonObject[]): Set<string> {
    const names = new Set<string>();
    for (const other of catalog.servers)
      if (other.name !== server)
        for (const { name } of catalog.list(other.name, "tools") ?? [])
          if (typeof name === "string" && name.length >= 6 && /[_-]|[a-z][A-Z]/.test(name)) names.add(name);
    for (const { name } of tools) names.delete(name as string);
    return names;
  }

  function settle(server: string): void {
    const state = stateOf(server);
    state.isSettled = true;
    for (const tell of state.waiting) tell();
  }

  function untilSettled(state: GateState): Promise<void> {
    return new Promise((resolve) => {
      const tell = () => {
        cancel();
        state.waiting.delete(tell);
        resolve();
      };
      const cancel = clock.after(patienceMs, tell);
      state.waiting.add(tell);
    });
  }

  /** What is held decides whether calls have to ask, and whether the file of approvals is watched. */
  async function note(owner: PinOwner): Promise<void> {
    const { guard, store } = await load();
    const state = stateOf(owner.name);
    state.isHolding = guard.held().some(({ server }) => server === owner.name);
    if (!state.isHolding || isClosed) {
      state.watcher?.close();
      state.watcher = undefined;
    } else if (state.watcher === undefined && store !== undefined) {
      const { watchFiles } = await import("../runtime/watch.ts");
      state.watcher ??= watchFiles([store.approvalsPath(owner)], () => void takeApprovals(owner));
    }
  }

  async function takeApprovals(owner: PinOwner): Promise<void> {
    const { guard } = await load();
    if (!(await guard.readApprovals(owner))) return;
    await note(owner);
    options.onFreed(owner.name);
  }

  return {
    gate(server) {
      const state = stateOf(server);
      return {
        get isOpen() {
          return (state.isSettled && !state.isHolding) || !settings().enabled;
        },
        async objection(tool) {
          const owner = ownerOf(server);
          if (owner === undefined) {
            state.isSettled = true;
            return undefined;
          }
          const { guard } = await load();
          const { whyHeld } = await import("../catalog/integrity/definition-guard.ts");
          // Never listed, there is nothing it could differ from.
          if (!state.isSettled && (await guard.isKnown(owner))) {
            await untilSettled(state);
            state.isSettled = true;
          }
          const held = await guard.heldTool(owner, tool);
          if (held === undefined) return undefined;
          state.isHolding = true;
          await takeApprovals(owner);
          return (await guard.heldTool(owner, tool)) && whyHeld(held);
        },
      };
    },
    async admit(server, tools, deviations) {
      const owner = ownerOf(server);
      if (owner === undefined || !settings().enabled) return tools;
      const { guard } = await load();
      const admitted = await guard.admit(owner, tools, otherTools(server, tools), deviations);
      await note(owner);
      return admitted;
    },
    async whyHeld(server, tool) {
      const owner = ownerOf(server);
      if (owner === undefined || !settings().enabled) return undefined;
      const { guard } = await load();
      const held = await guard.heldTool(owner, tool);
      return held && (await import("../catalog/integrity/definition-guard.ts")).whyHeld(held);
    },
    onConnected(server) {
      stateOf(server).isSettled = false;
    },
    onAsked: settle,
    async held() {
      return loading === undefined ? [] : (await loading).guard.held();
    },
    async approve(server, tool, digest, act) {
      const owner = ownerOf(server);
      if (owner === undefined) return "not held";
      const { guard } = await load();
      const outcome = await guard.approve(owner, tool, digest, act);
      if (outcome !== "approved") return outcome;
      await note(owner);
      options.onFreed(server);
      return outcome;
    },
    async flush() {
      await (await loading)?.guard.flush();
    },
    close() {
      isClosed = true;
      for (const { watcher } of states.values()) watcher?.close();
    },
  };
}

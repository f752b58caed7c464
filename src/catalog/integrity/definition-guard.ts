/**
 * Stands between what servers list and what clients see: definitions are scanned for instructions to the model (T1), and
 * pinned by digest when first seen. One that changed (T2) or hides something is held until an operator approves it; what
 * was approved before stays listed meanwhile. Pins outlive restarts, and tools that vanish and come back.
 */
import type { Logger } from "../../core/log.ts";
import type { Act, SecurityEventSink } from "../../core/security-event.ts";
import type { Clock } from "../../lib/clock.ts";
import { FailureSeries } from "../../lib/failure-series.ts";
import { globMatches } from "../../lib/glob.ts";
import { type JsonObject, stableJson } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { changedMembers } from "./definition-diff.ts";
import {
  approvalOf,
  type HeldDefinition,
  type PinOwner,
  type PinStore,
  type ServerPins,
  type ToolPin,
} from "./pin-store.ts";
import { scanDefinition } from "./poisoning.ts";
import type { ToolIntegritySettings } from "./schema.ts";

export interface HeldTool extends HeldDefinition {
  readonly server: string;
  readonly tool: string;
  /** What was approved before; `undefined` for a tool that never was. */
  readonly approved: JsonObject | undefined;
}

/** `changed`: another definition is held than the one that was looked at. */
export type Approval = "approved" | "changed" | "not held";

export interface DefinitionGuard {
  /**
   * What of the tools a server lists may be seen: approved definitions, and stand-ins for those that never were.
   * @param deviations other definitions of the same tools; one that is not what was approved is enough to hold its tool
   */
  admit(
    owner: PinOwner,
    tools: readonly JsonObject[],
    otherTools: ReadonlySet<string>,
    deviations?: readonly JsonObject[],
  ): Promise<JsonObject[]>;
  /** The tool as it is held; `undefined` when it may be called. */
  heldTool(owner: PinOwner, tool: string): Promise<HeldTool | undefined>;
  /** All that are held, of servers whose pins were looked at. */
  held(): HeldTool[];
  /** Whether anything of the server was ever pinned or held. */
  isKnown(owner: PinOwner): Promise<boolean>;
  /** Approves the definition with this digest, if it is the one that is held. */
  approve(owner: PinOwner, tool: string, digest: string, act: Act): Promise<Approval>;
  /** Reads what operators approved meanwhile; returns whether a tool of the server is free now. */
  readApprovals(owner: PinOwner): Promise<boolean>;
  /** Resolves when every pin is on the disk, or could not be written now. */
  flush(): Promise<void>;
}

export interface DefinitionGuardOptions {
  /** Left out, pins are kept in memory only. */
  readonly store: PinStore | undefined;
  readonly settings: () => ToolIntegritySettings;
  readonly log: Logger;
  readonly clock: Pick<Clock, "after">;
  /** Calendar time in milliseconds. */
  readonly now: () => number;
  /** Told when pins cannot be kept, and with `undefined` when they can again. */
  onProblem(error: unknown): void;
  /** A tool was quarantined or approved. */
  readonly onVerdict: SecurityEventSink;
}

const retryMs = 2_000;

interface GuardedServer {
  readonly owner: PinOwner;
  readonly pins: ServerPins;
  approved: ReadonlySet<string>;
}

export function createDefinitionGuard(options: DefinitionGuardOptions): DefinitionGuard {
  const { store, settings, log, now } = options;
  const servers = new Map<string, Promise<GuardedServer>>();
  const known = new Map<string, GuardedServer>();
  const failures = new FailureSeries(options.onProblem);
  let saving: Promise<void> = Promise.resolve();

  function guarded(owner: PinOwner): Promise<GuardedServer> {
    const id = `${owner.name}\0${owner.key}`;
    const found = servers.get(id) ?? load(owner);
    servers.set(id, found);
    return found;
  }

  async function load(owner: PinOwner): Promise<GuardedServer> {
    let pins: ServerPins = new Map();
    try {
      pins = (await store?.load(owner)) ?? pins;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error("The pinned definitions of a server cannot be read; what it lists now is pinned anew", {
        server: owner.name,
        reason,
      });
    }
    const server = { owner, pins, approved: (await store?.approved(owner)) ?? new Set<string>() };
    known.set(owner.name, server);
    return server;
  }

  /** One after the other, and nobody waits for the disk: what was judged holds from that moment on. */
  function save(server: Pick<GuardedServer, "owner" | "pins">): void {
    saving = saving.then(() => write(server));
  }

  async function write({ owner, pins }: Pick<GuardedServer, "owner" | "pins">): Promise<void> {
    if (store === undefined) return;
    try {
      await store.save(owner, pins);
      failures.succeeded();
    } catch (error) {
      failures.failed(error);
      options.clock.after(retryMs, () => save({ owner, pins }));
    }
  }

  function isExempt(server: string, tool: string): boolean {
    return settings().exempt.some(
      (pattern) => globMatches(pattern, server) || globMatches(pattern, `${server}:${tool}`),
    );
  }

  /** What is pinned of the tool after its server listed this definition. */
  function judge(server: GuardedServer, tool: string, definition: JsonObject, others: ReadonlySet<string>): ToolPin {
    const pin = server.pins.get(tool);
    const digest = sha256Hex(stableJson(definition));
    if (pin?.digest === digest) return pin.held === undefined ? pin : { ...pin, held: undefined };
    const isApproved = server.approved.has(approvalOf(tool, digest));
    const findings = isApproved ? [] : scanDefinition(definition, others);
    const isChanged = pin?.digest !== undefined;
    const { on_change, on_poisoning } = settings();
    const isHeld =
      !isApproved &&
      ((findings.length > 0 && on_poisoning === "quarantine") || (isChanged && on_change === "quarantine"));
    if (pin?.held?.digest !== digest && !isApproved && (isChanged || findings.length > 0)) {
      const why = whyHeld({ findings, approved: pin?.definition });
      if (isHeld)
        options.onVerdict({ action: "tool-quarantined", server: server.owner.name, tool, digest, detail: why });
      log.warn(
        isHeld ? "A tool is quarantined until an operator approves it" : "The definition of a tool is suspicious",
        {
          server: server.owner.name,
          tool,
          why,
          old_hash: pin?.digest,
          new_hash: digest,
          changed: isChanged ? changedMembers(pin.definition, definition).join(", ") : undefined,
        },
      );
    }
    if (!isHeld) return { digest, definition, pinnedAt: now() };
    const seenAt = pin?.held?.digest === digest ? pin.held.seenAt : now();
    return { ...pin, held: { digest, definition, seenAt, findings } };
  }

  /** As {@link judge}, where not all replicas of the server agree. */
  function judgeAll(
    server: GuardedServer,
    tool: string,
    definitions: readonly [JsonObject, ...JsonObject[]],
    others: ReadonlySet<string>,
  ): ToolPin {
    const [first, ...more] = definitions;
    if (more.length === 0) return judge(server, tool, first, others);
    if (server.pins.get(tool) === undefined) server.pins.set(tool, judge(server, tool, first, others));
    const approved = server.pins.get(tool)?.digest;
    const isOther = (definition: JsonObject) => sha256Hex(stableJson(definition)) !== approved;
    // Where a change is only reported, they would take turns in being one.
    const other = settings().on_change === "quarantine" ? definitions.find(isOther) : undefined;
    return judge(server, tool, other ?? first, others);
  }

  return {
    async admit(owner, tools, otherTools, deviations = []) {
      if (!settings().enabled) return [...tools];
      const server = await guarded(owner);
      const others = Map.groupBy(deviations, ({ name }) => name);
      const listed: JsonObject[] = [];
      let isChanged = false;
      for (const definition of tools) {
        const { name } = definition;
        if (typeof name !== "string" || isExempt(owner.name, name)) {
          listed.push(definition);
          continue;
        }
        const before = server.pins.get(name);
        const pin = judgeAll(server, name, [definition, ...(others.get(name) ?? [])], otherTools);
        if (pin !== before) {
          server.pins.set(name, pin);
          isChanged = true;
        }
        const shown = pin.held === undefined ? definition : (pin.definition ?? standIn(name, owner.name));
        if (shown !== undefined) listed.push(shown);
      }
      if (isChanged) save(server);
      return listed;
    },
    async heldTool(owner, tool) {
      if (!settings().enabled || isExempt(owner.name, tool)) return undefined;
      const server = await guarded(owner);
      return heldOf(server, tool);
    },
    held: () =>
      [...known.values()].flatMap((server) => [...server.pins.keys()].flatMap((tool) => heldOf(server, tool) ?? [])),
    flush: () => saving,
    isKnown: async (owner) => (await guarded(owner)).pins.size > 0,
    async approve(owner, tool, digest, act) {
      const server = await guarded(owner);
      const held = server.pins.get(tool)?.held;
      if (held === undefined) return "not held";
      if (held.digest !== digest) return "changed";
      await store?.approve(owner, tool, digest);
      server.approved = new Set([...server.approved, approvalOf(tool, digest)]);
      free(server, act);
      return "approved";
    },
    async readApprovals(owner) {
      const server = await guarded(owner);
      if (store !== undefined) server.approved = await store.approved(owner);
      return free(server);
    },
  };

  /** Pins what is held and approved by now. @param act absent, it was done at the command line */
  function free(server: GuardedServer, act?: Act): boolean {
    let isFreed = false;
    for (const [tool, { held }] of server.pins) {
      if (held === undefined || !server.approved.has(approvalOf(tool, held.digest))) continue;
      server.pins.set(tool, { digest: held.digest, definition: held.definition, pinnedAt: now() });
      log.info("A quarantined tool was approved", { server: server.owner.name, tool, hash: held.digest });
      options.onVerdict({ action: "tool-approved", server: server.owner.name, tool, digest: held.digest, ...act });
      isFreed = true;
    }
    if (isFreed) save(server);
    return isFreed;
  }

  function heldOf({ owner, pins }: GuardedServer, tool: string): HeldTool | undefined {
    const pin = pins.get(tool);
    return pin?.held && { server: owner.name, tool, approved: pin.definition, ...pin.held };
  }
}

/** In words: what was found, or that the definition changed. */
export function whyHeld({ findings, approved }: Pick<HeldTool, "findings" | "approved">): string {
  const change = approved === undefined ? undefined : "its definition changed since it was approved";
  const found = findings.map(({ rule, where }) => `${rule} in ${where}`).join(", ");
  return [change, found === "" ? undefined : `its definition may hide instructions to the model: ${found}`]
    .filter((part) => part !== undefined)
    .join("; ");
}

const plainName = /^[A-Za-z0-9_./-]{1,128}$/;

/** Shows that there is a tool and why it is not there; a name that may be part of the trick is not shown at all. */
function standIn(tool: string, server: string): JsonObject | undefined {
  if (!plainName.test(tool)) return undefined;
  return {
    name: tool,
    description: `Quarantined: its definition may hide instructions. An operator can look at it with: mcp-gateway quarantine show ${server}:${tool}`,
    inputSchema: { type: "object" },
  };
}

/**
 * Tool profiles on disk, so that trends outlive the process. Several gateways may share the file, one for each client that
 * starts its own: each adds what is new to what the file says at that moment, and never writes its own view over it.
 */
import type { Clock } from "../lib/clock.ts";
import { DelayedWrite } from "../lib/delayed-write.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { readText, writeAtomic } from "../runtime/files.ts";
import { type ClientCounts, mergedCounts, readCounts } from "./client-statistics.ts";
import { mergedProfiles, plainProfile, readProfile, type ToolProfile } from "./tool-profile.ts";

export interface Observed {
  /** By server, by tool. */
  readonly profiles: ReadonlyMap<string, ReadonlyMap<string, ToolProfile>>;
  readonly clients: ClientCounts;
  /** Calendar milliseconds since when all this was counted. */
  readonly since: number;
}

const formatVersion = 1;
const maxFileBytes = 32 * 1_048_576;
const saveAfterMs = 30_000;
/** Tools nobody has called for so long are forgotten. */
const forgottenAfterMs = 90 * 86_400_000;

const nothing: Observed = { profiles: new Map(), clients: readCounts(undefined), since: Number.POSITIVE_INFINITY };

export interface ProfileFileOptions {
  readonly path: string;
  readonly clock: Pick<Clock, "after">;
  readonly now: () => number;
  /** What was seen since it was last taken. */
  current(): Observed;
  /** The same, and begins anew. */
  take(): Observed;
  redact(text: string): string;
  /** Called with the first error of a series, and with `undefined` when writing works again. */
  onProblem(error: unknown): void;
}

export class ProfileFile {
  readonly #options: ProfileFileOptions;
  /** What the file said when it was last looked at. */
  #before: Promise<Observed> | undefined;
  /** Taken, but not on disk. */
  #unsaved = nothing;
  readonly #file: DelayedWrite;

  constructor(options: ProfileFileOptions) {
    this.#options = options;
    const { clock, onProblem } = options;
    this.#file = new DelayedWrite({ clock, afterMs: saveAfterMs, onProblem, write: () => this.#write() });
  }

  /** Something new was seen: it is on disk half a minute later, however much more comes. */
  touch(): void {
    this.#file.touch();
  }

  /** What is in the file, and what will be. */
  async all(): Promise<Observed> {
    this.#before ??= read(this.#options.path);
    return merged(merged(await this.#before, this.#unsaved), this.#options.current());
  }

  /** Resolves when what was seen is written, or cannot be. */
  async flush(): Promise<void> {
    await this.#file.flush();
  }

  async #write(): Promise<void> {
    const { path, take } = this.#options;
    this.#unsaved = merged(this.#unsaved, take());
    const now = merged(await read(path), this.#unsaved);
    await writeAtomic(path, this.#textOf(now), { mode: 0o600, sync: false });
    this.#before = Promise.resolve(now);
    this.#unsaved = nothing;
  }

  #textOf({ profiles, clients, since }: Observed): string {
    const { now, redact } = this.#options;
    const servers = [...profiles].map(([server, tools]) => [
      server,
      Object.fromEntries(
        [...tools]
          .filter(([, profile]) => now() - profile.lastAt < forgottenAfterMs)
          .map(([tool, profile]) => [tool, plainProfile(profile, redact)]),
      ),
    ]);
    return JSON.stringify({ version: formatVersion, since, clients, servers: Object.fromEntries(servers) });
  }
}

function merged(before: Observed, current: Observed): Observed {
  const profiles = new Map<string, ReadonlyMap<string, ToolProfile>>();
  for (const server of new Set([...before.profiles.keys(), ...current.profiles.keys()])) {
    const [old, now] = [before.profiles.get(server), current.profiles.get(server)];
    const tools = new Map<string, ToolProfile>();
    for (const tool of new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]))
      tools.set(tool, mergedProfiles(old?.get(tool), now?.get(tool)) as ToolProfile);
    profiles.set(server, tools);
  }
  return {
    profiles,
    clients: mergedCounts(before.clients, current.clients),
    since: Math.min(before.since, current.since),
  };
}

/** A file that is missing, broken or of something else is as good as none. */
async function read(path: string): Promise<Observed> {
  let file: Json;
  try {
    file = JSON.parse(await readText(path, maxFileBytes)) as Json;
  } catch {
    return nothing;
  }
  if (!isJsonObject(file) || file["version"] !== formatVersion || !isJsonObject(file["servers"])) return nothing;
  const { servers, clients, since } = file;
  const profiles = new Map<string, ReadonlyMap<string, ToolProfile>>();
  for (const [server, tools] of Object.entries(servers)) {
    const found = Object.entries(isJsonObject(tools) ? tools : {}).flatMap(([name, value]): [string, ToolProfile][] => {
      const profile = readProfile(value);
      return profile === undefined ? [] : [[name, profile]];
    });
    profiles.set(server, new Map(found));
  }
  return { profiles, clients: readCounts(clients), since: typeof since === "number" ? since : Date.now() };
}

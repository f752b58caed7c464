/**
 * Sessions on disk, so that a client goes on with its old session id after the gateway was restarted, upgraded or
 * killed. One file for each, named by a digest: whoever reads the directory cannot take a session over.
 */
import type { SavedSession, SessionStore } from "../clients/session-table.ts";
import { defaultState } from "../core/audience.ts";
import type { Clock } from "../lib/clock.ts";
import { FailureSeries } from "../lib/failure-series.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { isLegacyVersion } from "../mcp/protocol.ts";
import { sha256Hex } from "../runtime/digest.ts";
import { listDirectory, modifiedAtMs, readText, removeFile, writeAtomic } from "../runtime/files.ts";

const formatVersion = 1;
export const maxSessionBytes = 1_048_576;

const retryMs = 2_000;

/** What the sessions of one gateway need of a store; nothing here rejects. */
export type DiskSessions = Pick<SessionStore, "remove" | "load" | "removeOlderThan" | "flush"> & {
  save(id: string, session: SavedSession): void;
};

/** @param onProblem called with the first error of a series, and with `undefined` when everything is written again */
export function createSessionStore(
  directory: string,
  clock: Pick<Clock, "after">,
  onProblem: (error: unknown) => void,
): DiskSessions {
  const failures = new FailureSeries(onProblem);
  /** What could not be written yet. */
  const unsaved = new Map<string, SavedSession>();
  /** The last write of each session, which the next one waits for. */
  const writing = new Map<string, Promise<void>>();
  const pathOf = (id: string) => `${directory}/${sha256Hex(id)}.json`;

  async function write(id: string, saved: SavedSession): Promise<void> {
    try {
      await writeAtomic(pathOf(id), sessionText(saved), { mode: 0o600, sync: false });
      unsaved.delete(id);
      if (unsaved.size === 0) failures.succeeded();
    } catch (error) {
      if (unsaved.size === 0) clock.after(retryMs, writeUnsaved);
      unsaved.set(id, saved);
      failures.failed(error);
    }
  }

  function writeUnsaved(): void {
    const again = [...unsaved];
    unsaved.clear();
    for (const [id, saved] of again) inTurn(id, () => write(id, saved));
  }

  /** One after the other, so that the last word of a session is what stays. */
  function inTurn(id: string, work: () => Promise<void>): void {
    const done = (writing.get(id) ?? Promise.resolve()).then(work).then(() => {
      if (writing.get(id) === done) writing.delete(id);
    });
    writing.set(id, done);
  }

  return {
    save: (id, saved) => inTurn(id, () => write(id, saved)),
    remove(id) {
      unsaved.delete(id);
      inTurn(id, () => removeFile(pathOf(id)));
    },
    async load(id) {
      try {
        return readSession(await readText(pathOf(id), maxSessionBytes));
      } catch {
        // There is none, or none that can be read: the client opens a new one.
        return undefined;
      }
    },
    async removeOlderThan(calendarMs) {
      const entries = await listDirectory(directory).catch(() => []);
      for (const { name } of entries) {
        const path = `${directory}/${name}`;
        const atMs = await modifiedAtMs(path);
        if (atMs !== undefined && atMs < calendarMs) await removeFile(path);
      }
    },
    async flush() {
      await Promise.all(writing.values());
    },
  };
}

export function sessionText(saved: SavedSession): string {
  return JSON.stringify({ version: formatVersion, ...saved });
}

/** `undefined` for what {@link sessionText} of this version did not write. @throws SyntaxError */
export function readSession(text: string): SavedSession | undefined {
  const file = JSON.parse(text) as Json;
  if (!isJsonObject(file) || file["version"] !== formatVersion) return undefined;
  const {
    principal,
    backend,
    protocolVersion,
    clientInfo,
    clientCapabilities,
    profile,
    state,
    logLevel,
    seenAt,
    watches,
  } = file;
  if (typeof principal !== "string" || typeof seenAt !== "number" || !isLegacyVersion(protocolVersion))
    return undefined;
  return {
    principal,
    backend: typeof backend === "string" ? backend : undefined,
    protocolVersion,
    clientInfo: isJsonObject(clientInfo) ? clientInfo : {},
    clientCapabilities: isJsonObject(clientCapabilities) ? clientCapabilities : {},
    profile: typeof profile === "string" ? profile : undefined,
    state: typeof state === "string" ? state : defaultState,
    logLevel: typeof logLevel === "string" ? logLevel : undefined,
    seenAt,
    watches: Array.isArray(watches) ? watches.filter(isWatch) : [],
  };
}

function isWatch(value: Json): value is JsonObject & SavedSession["watches"][number] {
  return (
    isJsonObject(value) && [value["server"], value["uri"], value["shownAs"]].every((one) => typeof one === "string")
  );
}

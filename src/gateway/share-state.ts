/** What a gateway has with others, if it has any, and where it keeps its sessions. */
import type { SessionStore } from "../clients/session-table.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { allSessions } from "./all-sessions.ts";
import type { SaveProblems } from "./save-problems.ts";
import { createSessionStore } from "./session-store.ts";
import { createSharing, type Sharing } from "./sharing.ts";

export interface ShareStateOptions {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stateDirectory: string | undefined;
  readonly saveProblems: SaveProblems;
}

/** Sessions rest in the others' memory for as long as they do in this one's, and a quarter for what is written late. */
const sessionRest = 1.25;

export function shareState(options: ShareStateOptions): { sharing: Sharing; sessionStore: SessionStore } {
  const { config, clock, stateDirectory, saveProblems } = options;
  const onProblem = saveProblems.of("Sessions", "they end with this process");
  const disk =
    stateDirectory === undefined ? undefined : createSessionStore(`${stateDirectory}/sessions`, clock, onProblem);
  const sharing = createSharing({
    ...options,
    sessionTtlMs: () => config().streaming.session_ttl * sessionRest,
    events: () => sessionStore.onPeer,
  });
  const sessionStore = allSessions(disk, sharing);
  sharing.configure(config().shared_state);
  return { sharing, sessionStore };
}

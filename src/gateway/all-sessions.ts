/** Where sessions are kept: on the disk of this gateway, and with the other gateways where there are any. */
import type { SessionPeers, SessionStore } from "../clients/session-table.ts";
import type { DiskSessions } from "./session-store.ts";
import type { Sharing } from "./sharing.ts";

/** @param disk `undefined` where sessions end with the process unless they are shared */
export function allSessions(disk: DiskSessions | undefined, sharing: Sharing): SessionStore {
  const share: SessionPeers["share"] = async (id, saved) => (await sharing.state)?.sessions.save(id, saved);
  const peers: SessionPeers = {
    share,
    tell: (id, messageText) => void sharing.state?.then(({ sessions }) => sessions.tell(id, messageText)),
  };
  return {
    onPeer: undefined,
    get peers() {
      return sharing.state === undefined ? undefined : peers;
    },
    save(id, saved) {
      disk?.save(id, saved);
      if (sharing.state !== undefined) return share(id, saved);
    },
    remove(id) {
      disk?.remove(id);
      void sharing.state?.then(({ sessions }) => sessions.remove(id));
    },
    leave(id) {
      disk?.remove(id);
      void sharing.state?.then(({ sessions }) => sessions.leave(id));
    },
    async load(id) {
      const saved = await sharing.state?.then(({ sessions }) => sessions.load(id));
      if (saved === "ended") disk?.remove(id);
      return saved === "ended" ? undefined : (saved ?? disk?.load(id));
    },
    removeOlderThan: async (calendarMs) => disk?.removeOlderThan(calendarMs),
    flush: async () => disk?.flush(),
  };
}

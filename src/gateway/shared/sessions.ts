/**
 * The sessions of all gateways: each under the digest of its id, so that whoever reads Redis cannot take one over. What
 * happens to a session at one gateway is told to the others, as the messages that it waits for elsewhere.
 */
import type { PeerEvents, SavedSession } from "../../clients/session-table.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { redisScript } from "../../runtime/redis.ts";
import { maxSessionBytes, readSession, sessionText } from "../session-store.ts";
import type { SharedLink } from "./shared-link.ts";

/** Stands where the session was, so that no gateway that missed its end brings it back. */
const ended = "ended";
/** Of sessions that ended while Redis was out of reach; of more the first are forgotten, and expire there. */
const maxUntold = 10_000;
/** As long as the door takes one. */
const maxMessageCharacters = 16 * 1_048_576;

/** Returns 0 for a session that is over. */
const save = redisScript(`
if redis.call('GET', KEYS[1]) == '${ended}' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);
const remove = redisScript(`return redis.call('SET', KEYS[1], '${ended}', 'PX', ARGV[1])`);
const load = redisScript(`
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[1]) then return false end
return redis.call('GET', KEYS[1])`);

export interface SharedSessions {
  save(id: string, saved: SavedSession): Promise<void>;
  remove(id: string): void;
  leave(id: string): void;
  /** `undefined` when nothing is known of it, or Redis is out of reach. */
  load(id: string): Promise<SavedSession | "ended" | undefined>;
  tell(id: string, messageText: string): void;
  /** Takes what another gateway told. */
  take(message: string): void;
  /** Redis is there again: what the others did not hear is told now. */
  catchUp(): void;
}

export interface SharedSessionsOptions {
  readonly link: SharedLink;
  readonly replica: string;
  /** Milliseconds that a session is kept without being used. */
  readonly ttlMs: () => number;
  readonly events: () => PeerEvents | undefined;
}

export function createSharedSessions({ link, replica, ttlMs, events }: SharedSessionsOptions): SharedSessions {
  /** Of the sessions that are known here, by digest. */
  const ids = new Map<string, string>();
  /** Digests of those whose end is not in Redis yet. */
  const untold = new Set<string>();
  const keyOf = (digest: string) => link.keyOf(`session:${digest}`);

  function digestOf(id: string): string {
    const digest = sha256Hex(id);
    ids.set(digest, id);
    return digest;
  }

  function publish(news: Json): void {
    const text = JSON.stringify(news);
    if (text.length <= maxMessageCharacters) void link.publish(text);
  }

  async function read(digest: string): Promise<SavedSession | "ended" | undefined> {
    const text = await link.ask(load, [keyOf(digest)], [maxSessionBytes]);
    if (text === ended) return "ended";
    try {
      return typeof text === "string" ? readSession(text) : undefined;
    } catch {
      return undefined;
    }
  }

  async function tellEnd(digest: string): Promise<void> {
    untold.add(digest);
    if (untold.size > maxUntold) untold.delete(untold.values().next().value as string);
    const done = await link.ask(remove, [keyOf(digest)], [Math.ceil(ttlMs())]);
    if (done === undefined) return;
    untold.delete(digest);
    publish({ from: replica, is: "ended", session: digest });
  }

  async function takeChange(digest: string, id: string): Promise<void> {
    const saved = await read(digest);
    if (saved === "ended") events()?.onEnded(id);
    else if (saved !== undefined && ids.has(digest)) events()?.onChanged(id, saved);
  }

  return {
    async save(id, saved) {
      const digest = digestOf(id);
      const text = sessionText(saved);
      if (text.length > maxSessionBytes) return;
      const done = await link.ask(save, [keyOf(digest)], [text, Math.ceil(ttlMs())]);
      if (done === 0) events()?.onEnded(id);
      else if (done === 1) publish({ from: replica, is: "changed", session: digest });
    },
    remove(id) {
      const digest = sha256Hex(id);
      ids.delete(digest);
      void tellEnd(digest);
    },
    leave(id) {
      ids.delete(sha256Hex(id));
    },
    async load(id) {
      const saved = await read(sha256Hex(id));
      if (saved !== undefined && saved !== "ended") digestOf(id);
      return saved;
    },
    tell(id, messageText) {
      publish({ from: replica, is: "message", session: sha256Hex(id), message: messageText });
    },
    take(message) {
      const news = message.length > 2 * maxMessageCharacters ? undefined : parsed(message);
      if (!isJsonObject(news) || news["from"] === replica) return;
      const { is, session: digest, message: text } = news;
      const id = typeof digest === "string" ? ids.get(digest) : undefined;
      if (id === undefined) return;
      if (is === "ended") events()?.onEnded(id);
      else if (is === "changed") void takeChange(digest as string, id);
      else if (is === "message" && typeof text === "string") events()?.onMessage(id, text);
    },
    catchUp() {
      for (const digest of [...untold]) void tellEnd(digest);
    },
  };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

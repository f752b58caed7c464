/**
 * One connection to a Redis or a Valkey (RESP3, so that commands and messages share it). Nothing waits for longer than
 * it is told to: what is not answered in time ends the connection, and making the next one is the caller's business.
 */
import type { Clock } from "../lib/clock.ts";
import { builtin } from "./builtin.ts";

export type RedisReply = string | number | boolean | null | readonly RedisReply[];

/** A Lua script, which Redis keeps under its digest. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

export interface RedisConnection {
  /** @throws RedisRefusal; anything else means that the connection is over */
  run(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<RedisReply>;
  publish(channel: string, message: string): Promise<void>;
  /** Once what was sent is answered. */
  close(): Promise<void>;
}

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and number of the database. */
  readonly url: string;
  /** For each command. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly clock: Pick<Clock, "after">;
  readonly channel: string;
  onMessage(message: string): void;
  /** The connection is over, whatever ended it but {@link RedisConnection.close}. Told once. */
  onLost(error: Error): void;
}

/** Redis understood the command and would not do it. */
export class RedisRefusal extends Error {}

/** Commands that wait for the socket; whoever comes on top works alone. */
const maxWaiting = 10_000;

export function redisScript(text: string): RedisScript {
  return { text, sha1: builtin("node:crypto").hash("sha1", text, "hex") };
}

/** Resolves when the channel is heard too. */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { url, timeoutMs, connectTimeoutMs, clock, channel, onMessage, onLost } = options;
  const { createClient, ErrorReply } = await import("@redis/client");
  const client = createClient({
    url,
    socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
    RESP: 3,
    commandsQueueMaxLength: maxWaiting,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
  let isOver = false;
  let isConnected = false;

  function lose(error: Error): void {
    if (isOver) return;
    isOver = true;
    if (client.isOpen) client.destroy();
    // Whoever is still connecting is told by the rejection.
    if (isConnected) onLost(error);
  }

  function inTime<T>(work: Promise<T>, limitMs = timeoutMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(limitMs, () => {
        const error = new Error(`Redis did not answer within ${limitMs} ms`);
        reject(error);
        lose(error);
      });
      work.then(resolve, reject).finally(cancel);
    });
  }

  async function send(command: readonly string[]): Promise<RedisReply> {
    try {
      return await inTime(client.sendCommand<RedisReply>(command as string[]));
    } catch (error) {
      throw error instanceof ErrorReply ? new RedisRefusal(error.message) : error;
    }
  }

  client.on("error", lose);
  client.on("end", () => lose(new Error("Redis closed the connection")));
  try {
    await inTime(client.connect(), connectTimeoutMs);
    await inTime(client.subscribe(channel, onMessage));
    isConnected = true;
  } catch (error) {
    isOver = true;
    if (client.isOpen) client.destroy();
    throw error;
  }
  return {
    async run({ text, sha1 }, keys, args) {
      const rest = [String(keys.length), ...keys, ...args.map(String)];
      try {
        return await send(["EVALSHA", sha1, ...rest]);
      } catch (error) {
        if (!(error instanceof RedisRefusal) || !error.message.startsWith("NOSCRIPT")) throw error;
        return await send(["EVAL", text, ...rest]);
      }
    },
    async publish(to, message) {
      await send(["PUBLISH", to, message]);
    },
    async close() {
      isOver = true;
      if (!client.isOpen) return;
      await inTime(client.close()).catch(() => client.destroy());
    },
  };
}

/**
 * The way to the shared Redis: connected or not, and which. Whoever asks while it is not gets `undefined` at once and
 * does without; it is tried again with back-off.
 */
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { FailureSeries } from "../../lib/failure-series.ts";
import {
  connectRedis,
  type RedisConnection,
  RedisRefusal,
  type RedisReply,
  type RedisScript,
  redisScript,
} from "../../runtime/redis.ts";
import type { SharedStateSettings } from "./schema.ts";

/** A part of every key and channel: a gateway that keeps things differently has another one. */
const formatVersion = "v1";
/** Several round trips, and TLS. */
const connectTimeoutMs = 5_000;
const backoff = { initialMs: 250, maxMs: 10_000, multiplier: 2 };
const heartbeatMs = 3_000;
/** A gateway that has not been heard of for so long is taken for dead. */
const deadAfterMs = 15_000;
const saidAgainMs = 60_000;

/** It writes: a Redis that is full or only a copy is one that cannot be used. */
const heartbeat = redisScript("return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])");

export interface SharedLinkOptions {
  readonly settings: SharedStateSettings;
  /** Name of this gateway among those that share. */
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when Redis cannot be used, and with `undefined` when it can again. */
  onProblem(error: unknown): void;
  onMessage(message: string): void;
  /** Connected, for the first time or again. */
  onUp(): void;
}

export class SharedLink {
  readonly #options: SharedLinkOptions;
  readonly #failures: FailureSeries;
  readonly #channel: string;
  #connection: RedisConnection | undefined;
  /** While the first attempt lasts, as far as it is waited for. */
  #first: Promise<void> | undefined;
  #attempts = 0;
  #isClosed = false;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = () => {};

  constructor(options: SharedLinkOptions) {
    this.#options = options;
    this.#failures = new FailureSeries(options.onProblem);
    this.#channel = this.keyOf("messages");
    const { clock, settings } = options;
    this.#first = new Promise((resolve) => {
      const done = () => {
        this.#first = undefined;
        cancel();
        resolve();
      };
      const cancel = clock.after(settings.timeout, done);
      void this.#connect().then(done);
    });
  }

  keyOf(name: string): string {
    return `${this.#options.settings.prefix}${formatVersion}:${name}`;
  }

  /** With the name of a gateway after it: the key that exists while that gateway lives. */
  get replicaKey(): string {
    return this.keyOf("gateway:");
  }

  /** What the script returned; `undefined` when Redis is out of reach or refuses. Never rejects. */
  async ask(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[] = [],
  ): Promise<RedisReply | undefined> {
    return this.#use((connection) => connection.run(script, keys, args));
  }

  /** Tells the other gateways; what they do not hear is lost. */
  async publish(message: string): Promise<void> {
    await this.#use((connection) => connection.publish(this.#channel, message));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  async #use<T>(work: (connection: RedisConnection) => Promise<T>): Promise<T | undefined> {
    if (this.#first !== undefined) await this.#first;
    if (this.#connection === undefined) return undefined;
    try {
      return await work(this.#connection);
    } catch (error) {
      if (error instanceof RedisRefusal) this.#refused(error);
      return undefined;
    }
  }

  async #connect(): Promise<void> {
    const { settings, clock, onMessage } = this.#options;
    const { redis_url: url, timeout: timeoutMs } = settings;
    const options = { url, timeoutMs, connectTimeoutMs, clock, channel: this.#channel, onMessage };
    let connection: RedisConnection | undefined;
    // Before it is in use, what ends it is told by a rejection.
    const onLost = (error: unknown) => {
      if (this.#connection !== undefined && this.#connection === connection) this.#lost(error);
    };
    try {
      connection = await connectRedis({ ...options, onLost });
      await this.#beat(connection, onLost);
      if (this.#isClosed) return await connection.close();
      this.#connection = connection;
      this.#attempts = 0;
      this.#failures.succeeded();
      this.#options.onUp();
    } catch (error) {
      this.#lost(error);
    }
  }

  /** Says that this gateway lives, and finds out whether Redis does. @throws when it does not */
  async #beat(connection: RedisConnection, onLost: (error: unknown) => void): Promise<void> {
    try {
      await connection.run(heartbeat, [this.replicaKey + this.#options.replica], [deadAfterMs]);
    } catch (error) {
      void connection.close();
      throw error;
    }
    this.#after(heartbeatMs, () => void this.#beat(connection, onLost).catch(onLost));
  }

  #lost(error: unknown): void {
    this.#connection = undefined;
    if (this.#isClosed) return;
    this.#failures.failed(error);
    this.#after(backoffMs(++this.#attempts, backoff), () => void this.#connect());
  }

  /** There is one timer: for the next sign of life, or for the next attempt. */
  #after(ms: number, run: () => void): void {
    this.#cancelTimer();
    if (!this.#isClosed) this.#cancelTimer = this.#options.clock.after(ms, run);
  }

  #refused(error: RedisRefusal): void {
    const now = this.#options.clock.now();
    if (now - this.#saidAtMs < saidAgainMs) return;
    this.#saidAtMs = now;
    this.#options.log.warn("The shared Redis refuses a command; this gateway does without it", {
      reason: error.message,
    });
  }
}

/**
 * The event streams of one session, so that a client whose connection broke can go on where it was (basic/transports,
 * "Resumability and Redelivery"). What was sent is kept within limits; an id means something in its own session only.
 */
import type { Session } from "../../clients/session.ts";
import type { Clock } from "../../lib/clock.ts";
import { randomToken } from "../../runtime/random.ts";
import type { EventStream } from "./event-stream.ts";

/** Characters a session keeps for clients that come back, over all its streams; the oldest events give way. */
const maxKeptCharacters = 1_048_576;
/** Time a client has to fetch the rest of a stream that has ended. */
const keptAfterEndMs = 60_000;
/** In every event id: what an earlier process sent is not here any more, and its streams go on as new ones. */
const thisProcess = randomToken(6);
const idPattern = /^([\w-]{8})\.(\d{1,9})\.(\d{1,9})$/;

export function isOfEarlierProcess(eventId: string): boolean {
  const process = idPattern.exec(eventId)?.[1];
  return process !== undefined && process !== thisProcess;
}

/** From here on clients know that an event may have an id and no data. */
const firstVersionWithPriming = "2025-11-25";

/** As much as all sessions keep together: a crowd of clients must not cost a gigabyte. */
const maxKeptByAll = 16_777_216;

/** What is kept over all sessions; the one that has sent nothing for the longest gives way first. */
export class StreamMemory {
  /** Those that keep anything, the last to send at the end. */
  readonly #sessions = new Set<SessionStreams>();
  #characters = 0;

  grown(session: SessionStreams, characters: number): void {
    this.#characters += characters;
    this.#sessions.delete(session);
    this.#sessions.add(session);
    for (const oldest of this.#sessions) {
      if (this.#characters <= maxKeptByAll) return;
      oldest.forget(this.#characters - maxKeptByAll);
    }
  }

  shrunk(session: SessionStreams, characters: number): void {
    this.#characters -= characters;
    if (session.keptCharacters === 0) this.#sessions.delete(session);
  }
}

interface KeptEvent {
  readonly number: number;
  readonly messageText: string;
}

export class SessionStreams {
  keptCharacters = 0;
  readonly #session: Session;
  readonly #memory: StreamMemory;
  readonly #clock: Clock;
  readonly #streams = new Map<string, ResumableStream>();
  #lastStream = 0;
  #standing: ResumableStream | undefined;

  constructor(session: Session, memory: StreamMemory, clock: Clock) {
    this.#session = session;
    this.#memory = memory;
    this.#clock = clock;
  }

  /** @param isStanding for what belongs to no request; otherwise the answer of one */
  open(out: EventStream, isStanding: boolean): ResumableStream {
    const name = String(++this.#lastStream);
    const stream = new ResumableStream(name, isStanding, {
      onSent: (characters) => this.#grow(characters),
      onEnd: () => void this.#clock.after(keptAfterEndMs, () => this.#drop(name)),
    });
    this.#streams.set(name, stream);
    if (isStanding) {
      // A session has one; who opens it anew without an id does not want the rest of the one before.
      this.#standing?.end();
      this.#standing = stream;
    }
    stream.attach(out, 0);
    if (this.#session.protocolVersion >= firstVersionWithPriming) stream.prime();
    return stream;
  }

  /** The stream of the event, and the place after it; `undefined` for an id that was not given out here, or long ago. */
  find(lastEventId: string): { readonly stream: ResumableStream; readonly after: number } | undefined {
    const [, _process, name = "", number = ""] = idPattern.exec(lastEventId) ?? [];
    const stream = this.#streams.get(name);
    return stream === undefined || Number(number) > stream.lastNumber ? undefined : { stream, after: Number(number) };
  }

  /** Drops the oldest events until so many characters are gone, or all. */
  forget(characters: number): void {
    let gone = 0;
    for (const stream of this.#streams.values()) if (gone < characters) gone += stream.forget(characters - gone);
    this.#shrink(gone);
  }

  #grow(characters: number): void {
    this.keptCharacters += characters;
    this.#memory.grown(this, characters);
    if (this.keptCharacters > maxKeptCharacters) this.forget(this.keptCharacters - maxKeptCharacters);
  }

  #drop(name: string): void {
    const gone = this.#streams.get(name)?.forget(Number.POSITIVE_INFINITY) ?? 0;
    this.#streams.delete(name);
    this.#shrink(gone);
  }

  #shrink(characters: number): void {
    this.keptCharacters -= characters;
    this.#memory.shrunk(this, characters);
  }
}

interface Owner {
  onSent(characters: number): void;
  onEnd(): void;
}

export class ResumableStream {
  /** For messages that belong to no request. */
  readonly isStanding: boolean;
  lastNumber = 0;
  readonly #name: string;
  readonly #owner: Owner;
  #kept: KeptEvent[] = [];
  #out: EventStream | undefined;
  #hasEnded = false;

  constructor(name: string, isStanding: boolean, owner: Owner) {
    this.#name = name;
    this.isStanding = isStanding;
    this.#owner = owner;
  }

  /** Gives the connection what came after that event, and from now on everything; one before it is ended. */
  attach(out: EventStream, after: number): void {
    if (this.#out !== undefined && this.#out !== out) this.#out.end();
    this.#out = out;
    for (const { number, messageText } of this.#kept) if (number > after) out.send(messageText, this.#idOf(number));
    if (this.#hasEnded) out.end();
  }

  /** An id before there is anything to say, so that even the first message can be fetched again. */
  prime(): void {
    this.#out?.prime(this.#idOf(this.lastNumber));
  }

  send(messageText: string): void {
    const number = ++this.lastNumber;
    this.#kept.push({ number, messageText });
    this.#out?.send(messageText, this.#idOf(number));
    this.#owner.onSent(messageText.length);
  }

  comment(): void {
    this.#out?.comment();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#out?.end();
    this.#owner.onEnd();
  }

  /** Drops the oldest events until so many characters are gone, or all; returns how many were. */
  forget(characters: number): number {
    let gone = 0;
    while (gone < characters && this.#kept.length > 0) gone += (this.#kept.shift() as KeptEvent).messageText.length;
    return gone;
  }

  #idOf(number: number): string {
    return `${thisProcess}.${this.#name}.${number}`;
  }
}

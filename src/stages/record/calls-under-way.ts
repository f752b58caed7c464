/**
 * The calls that run now. A linked list: a `Map` or `Set` makes itself anew every few calls that come and go, which took
 * a seventh of all the time the gateway has for a call.
 */
import type { Call } from "../../core/call.ts";

export class CallUnderWay {
  readonly call: Call;
  /** {@link Clock.now} of its start. */
  readonly startedAtMs: number;
  previous: CallUnderWay | undefined;
  next: CallUnderWay | undefined = undefined;

  constructor(call: Call, startedAtMs: number, previous: CallUnderWay | undefined) {
    this.call = call;
    this.startedAtMs = startedAtMs;
    this.previous = previous;
  }
}

/** What began first comes first. */
export class CallsUnderWay implements Iterable<CallUnderWay> {
  #first: CallUnderWay | undefined;
  #last: CallUnderWay | undefined;

  /** Returns what {@link end} wants, once. */
  begin(call: Call, startedAtMs: number): CallUnderWay {
    const entry = new CallUnderWay(call, startedAtMs, this.#last);
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    return entry;
  }

  end({ previous, next }: CallUnderWay): void {
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
  }

  *[Symbol.iterator](): Generator<CallUnderWay> {
    for (let entry = this.#first; entry !== undefined; entry = entry.next) yield entry;
  }
}

/**
 * One timer for many waits of the same length that nearly all end before their time: a wait costs an object, not a
 * timer of the runtime. They are due in the order they began, so that only the first needs watching. The timer runs on
 * when its last wait has ended: calls one after the other would otherwise start one each. (A linked list: a `Map` that
 * is filled and emptied all the time costs more than the timers.)
 */
import type { Clock } from "./clock.ts";

export interface Waiting {
  /** Its time is over. Must not throw. */
  onTime(): void;
}

export class Wait {
  readonly #timer: SharedTimer;
  readonly waiting: Waiting;
  readonly dueAtMs: number;
  /** Neighbours, for the timer alone. */
  before: Wait | undefined;
  after: Wait | undefined;
  isOver = false;

  constructor(timer: SharedTimer, waiting: Waiting, dueAtMs: number) {
    this.#timer = timer;
    this.waiting = waiting;
    this.dueAtMs = dueAtMs;
  }

  /** Ends it without a call back. Does nothing once it is over. */
  cancel(): void {
    if (!this.isOver) this.#timer.remove(this);
  }
}

export class SharedTimer {
  readonly ms: number;
  readonly #clock: Clock;
  #first: Wait | undefined;
  #last: Wait | undefined;
  #isArmed = false;

  constructor(ms: number, clock: Clock) {
    this.ms = ms;
    this.#clock = clock;
  }

  /** @param nowMs what {@link Clock.now} gave just now */
  start(waiting: Waiting, nowMs: number): Wait {
    const wait = new Wait(this, waiting, nowMs + this.ms);
    wait.before = this.#last;
    if (this.#last === undefined) this.#first = wait;
    else this.#last.after = wait;
    this.#last = wait;
    if (!this.#isArmed) this.#arm(this.ms);
    return wait;
  }

  /** For {@link Wait.cancel}. */
  remove(wait: Wait): void {
    wait.isOver = true;
    if (wait.before === undefined) this.#first = wait.after;
    else wait.before.after = wait.after;
    if (wait.after === undefined) this.#last = wait.before;
    else wait.after.before = wait.before;
    // Links left in it would keep all that came after it alive, until the collector looks at old objects too.
    wait.before = undefined;
    wait.after = undefined;
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    this.#clock.after(ms, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#isArmed = false;
    const nowMs = this.#clock.now();
    while (this.#first !== undefined && this.#first.dueAtMs <= nowMs) {
      const { waiting } = this.#first;
      this.remove(this.#first);
      waiting.onTime();
    }
    // One of the callbacks may have started the timer.
    if (this.#first !== undefined && !this.#isArmed) this.#arm(this.#first.dueAtMs - nowMs);
  };
}

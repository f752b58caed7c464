/** Where each session is: the tool it called last, and which steps it has been counted for. Forgotten when it ends. */

/** Those that called nothing for longest are forgotten first. */
const maxSessions = 4_096;
/** Steps a session is counted for; it teaches no more than these. */
const maxLessons = 64;

interface Place {
  tool: string;
  readonly lessons: Set<string>;
}

export class SessionSteps {
  readonly #places = new Map<string, Place>();

  /** The tool the session called last. */
  last(sessionId: string): string | undefined {
    return this.#places.get(sessionId)?.tool;
  }

  /** The session calls `tool` now. Returns what {@link last} was. */
  move(sessionId: string, tool: string): string | undefined {
    const place = this.#places.get(sessionId);
    this.#places.delete(sessionId);
    this.#places.set(sessionId, { tool, lessons: place?.lessons ?? new Set() });
    if (this.#places.size > maxSessions) this.#places.delete(this.#places.keys().next().value as string);
    return place?.tool;
  }

  /** Whether the step is to be counted: once for each session, and for one that has not ended. */
  isLesson(sessionId: string, from: string, to: string): boolean {
    const lessons = this.#places.get(sessionId)?.lessons;
    const step = `${from}\n${to}`;
    if (lessons === undefined || lessons.size >= maxLessons || lessons.has(step)) return false;
    lessons.add(step);
    return true;
  }

  forget(sessionId: string): void {
    this.#places.delete(sessionId);
  }

  get size(): number {
    return this.#places.size;
  }
}

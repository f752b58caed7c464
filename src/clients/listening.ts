import type { Watcher } from "./subscriptions.ts";

/** A `subscriptions/listen` of a client of 2026-07-28 while it lasts. */
export interface Listening extends Watcher {
  /** Backend of `/mcp/{backend}`; `undefined` on `/mcp`. */
  readonly backend: string | undefined;
  /** Methods of the list changes it is told of. */
  readonly changes: ReadonlySet<string>;
  /** Answers it: the gateway has nothing more to tell. */
  end(): void;
}

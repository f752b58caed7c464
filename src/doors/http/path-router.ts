/**
 * Hono's PatternRouter, asked only for paths with parameters. It has nothing to prepare before its first match, which
 * takes Hono's quicker routers half an empty program's start; plain paths, which are nearly all there are, are looked up.
 */
import type { Result, Router } from "hono/router";
import { PatternRouter } from "hono/router/pattern-router";

/** For routes that take every method, one handler each. */
export class PathRouter<T> implements Router<T> {
  readonly name = "PathRouter";
  readonly #plain = new Map<string, Result<T>>();
  readonly #patterns = new PatternRouter<T>();

  add(method: string, path: string, handler: T): void {
    if (/[:*]/.test(path)) this.#patterns.add(method, path, handler);
    else this.#plain.set(path, [[[handler, {}]]]);
  }

  match(method: string, path: string): Result<T> {
    return this.#plain.get(path) ?? this.#patterns.match(method, path);
  }
}

/**
 * Hono's PatternRouter, asked only for paths with parameters. It has nothing to prepare before its first match, which
 * takes Hono's quicker routers half an empty program's start; plain paths, which are nearly all there are, are looked up.
 * What Hono has around its routers would be a twentieth of the code that a start loads. The only file that knows Hono.
 */
import { PatternRouter } from "hono/router/pattern-router";

export interface Destination<T> {
  readonly target: T;
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

const anyMethod = "ALL";
const none = {};

export class PathRouter<T> {
  readonly #plain = new Map<string, T>();
  readonly #patterns = new PatternRouter<T>();

  /** @param path as Hono has them: `/a/:name`, `/a/*` */
  add(path: string, target: T): void {
    if (/[:*]/.test(path)) this.#patterns.add(anyMethod, path, target);
    else this.#plain.set(path, target);
  }

  /** What was added first of all that fit. */
  find(path: string): Destination<T> | undefined {
    const plain = this.#plain.get(path);
    if (plain !== undefined) return { target: plain, params: none };
    const [[first]] = this.#patterns.match(anyMethod, path);
    if (first === undefined) return undefined;
    const params = Object.entries(first[1] as Record<string, string>).map(([name, value]) => [name, decoded(value)]);
    return { target: first[0], params: Object.fromEntries(params) };
  }
}

/** As it is where it is not well encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

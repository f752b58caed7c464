/**
 * Hono's PatternRouter, for paths with parameters only, and made when the first of them is asked for: what a router does
 * before that every start would wait for. Plain paths, which are nearly all there are, are looked up. What Hono has around
 * its routers would be a twentieth of the code that a start loads. The only file that knows Hono.
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
  readonly #patterns: [path: string, target: T][] = [];
  #router: PatternRouter<T> | undefined;

  /** @param path as Hono has them: `/a/:name`, `/a/*` */
  add(path: string, target: T): void {
    this.#router = undefined;
    if (path.includes(":") || path.includes("*")) this.#patterns.push([path, target]);
    else this.#plain.set(path, target);
  }

  /** What was added first of all that fit. */
  find(path: string): Destination<T> | undefined {
    const plain = this.#plain.get(path);
    if (plain !== undefined) return { target: plain, params: none };
    this.#router ??= this.#withPatterns();
    const [[first]] = this.#router.match(anyMethod, path);
    if (first === undefined) return undefined;
    const params = Object.entries(first[1] as Record<string, string>).map(([name, value]) => [name, decoded(value)]);
    return { target: first[0], params: Object.fromEntries(params) };
  }

  #withPatterns(): PatternRouter<T> {
    const router = new PatternRouter<T>();
    for (const [path, target] of this.#patterns) router.add(anyMethod, path, target);
    return router;
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

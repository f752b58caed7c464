/** What clients may ask for. Loaded with the first request: to open a session none of it is needed. */
import { aggregateMethods } from "./aggregate-methods.ts";
import { backendMethods } from "./backend-methods.ts";
import type { RequestScope } from "./request-scope.ts";

/** Resolves with the JSON text of the result. */
export type Method = (request: RequestScope) => Promise<string> | string;
export type MethodTable = Readonly<Record<string, Method>>;

/** @param backend of `/mcp/{backend}`; `undefined` on `/mcp` */
export function findMethod(backend: string | undefined, name: string): Method | undefined {
  const table = backend === undefined ? aggregateMethods : backendMethods;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Whether there is such a method at all. */
export function isMethod(name: string): boolean {
  return findMethod(undefined, name) !== undefined || findMethod("any", name) !== undefined;
}

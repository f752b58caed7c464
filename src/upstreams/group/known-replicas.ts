/**
 * Which replica knows what a request is about: whoever handed out a task or the state of a question, or was asked to
 * watch a resource, has it in its memory, and no other replica does.
 */
import type { Answer } from "../../core/answer.ts";
import type { RpcRequest } from "../../core/call.ts";
import type { JsonObject } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";

/** The oldest are forgotten first; a request about one of them is then spread like any other. */
const maxKept = 10_000;

/** Where a result may hand out something that is asked for later (2026-07-28: basic/patterns, and the tasks extension). */
const handsOut = /"(?:taskId|requestState)"/;

export class KnownReplicas<R> {
  readonly #handles = new Map<string, R>();
  readonly #watched = new Map<string, R>();

  /** The only one that can answer: another would deny that there is such a task. `undefined` when any will do. */
  ownerOf({ method, params }: RpcRequest): R | undefined {
    if (this.#handles.size === 0 || params === undefined) return undefined;
    const { taskId, requestState } = params;
    if (typeof requestState === "string") return this.#handles.get(keyOf("state", requestState));
    return method.startsWith("tasks/") ? this.#handles.get(keyOf("task", taskId)) : undefined;
  }

  /** The one that watches the resource already, for a request to do so or to end it. */
  watcherOf({ method, params }: RpcRequest): R | undefined {
    return /^resources\/(un)?subscribe$/.test(method) ? this.#watched.get(keyOf("uri", params?.["uri"])) : undefined;
  }

  /** Learns from what a replica answered. */
  note({ method, params, envelope }: RpcRequest, answer: Answer, replica: R): void {
    if (method === "resources/subscribe") keep(this.#watched, keyOf("uri", params?.["uri"]), replica);
    else if (method === "resources/unsubscribe") this.#watched.delete(keyOf("uri", params?.["uri"]));
    // Other clients are handed out nothing.
    else if (envelope !== undefined && handsOut.test(answer.skeleton)) this.#noteHandles(answer, replica);
  }

  #noteHandles(answer: Answer, replica: R): void {
    const { resultType, taskId, requestState } = shallow(answer);
    if (resultType === "task" && typeof taskId === "string") keep(this.#handles, keyOf("task", taskId), replica);
    if (typeof requestState === "string") keep(this.#handles, keyOf("state", requestState), replica);
  }

  /** Whether it watches anything for us. */
  isWatching(replica: R): boolean {
    return [...this.#watched.values()].includes(replica);
  }

  /** Its connection is gone, and with it what it watched. True when that was anything. */
  forgetWatched(replica: R): boolean {
    return forget(this.#watched, replica);
  }

  /** It is gone for good. */
  forgetHandles(replica: R): void {
    forget(this.#handles, replica);
  }
}

/** Short, whatever the server or the client made up. */
function keyOf(kind: "state" | "task" | "uri", name: unknown): string {
  return sha256Hex(`${kind} ${String(name)}`);
}

/** Nothing of a result that is nested beyond reason: it is passed on all the same. */
function shallow(answer: Answer): JsonObject {
  try {
    return answer.value;
  } catch {
    return {};
  }
}

function keep<R>(map: Map<string, R>, key: string, replica: R): void {
  map.delete(key);
  map.set(key, replica);
  if (map.size > maxKept) map.delete(map.keys().next().value as string);
}

function forget<R>(map: Map<string, R>, replica: R): boolean {
  const before = map.size;
  for (const [key, owner] of map) if (owner === replica) map.delete(key);
  return map.size < before;
}

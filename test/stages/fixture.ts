/** Calls and settings as the stages get them. */
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import type { Call, Next, Stage } from "../../src/core/call.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import {
  type FailsafeSettings,
  failsafeSchema,
  type SecurityStageSettings,
  securityStageEntries,
} from "../../src/stages/schema.ts";
import { type InjectedSecret, injectedSecretSchema } from "../../src/stages/secrets/schema.ts";

export const pong = Answer.of({ content: [{ type: "text", text: "pong" }] });

export function makeCall(changes: Partial<Call> = {}): Call {
  return {
    upstream: "files",
    method: "tools/call",
    params: { name: "read", arguments: { path: "/a" } },
    signal: new AbortController().signal,
    caller: anonymousCaller,
    sessionId: "session",
    requestId: "request",
    deadline: Number.POSITIVE_INFINITY,
    safe: true,
    ...changes,
  };
}

/** The defaults of the file, with changes as they would be written there. */
export function failsafe(changes: v.InferInput<typeof failsafeSchema> = {}): FailsafeSettings {
  return v.parse(failsafeSchema, changes);
}

const securitySchema = v.object(securityStageEntries);

/** The same for the `security` section. */
export function security(changes: object = {}): SecurityStageSettings {
  return v.parse(securitySchema, changes);
}

/** One of a backend's `secrets`. */
export function injected(changes: Partial<InjectedSecret> = {}): InjectedSecret {
  const base = { name: "key", value: "s3cr3t-value/1", inject_key: "api_key" };
  return { ...v.parse(injectedSecretSchema, base), ...changes };
}

export const off = { enabled: false } as const;

/** Fails the test if the policy is off. */
export function on(stage: Stage | undefined): Stage {
  if (!stage) throw new Error("The stage is not configured");
  return stage;
}

export const answers: Next = () => Promise.resolve(pong);

export function fails(error: unknown): Next {
  return () => Promise.reject(error);
}

/** An upstream that never answers by itself and ends, as upstreams must, when it is aborted. */
export const hangs: Next = ({ signal }) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });

/** What became of a promise so far; read it after the clock was advanced. */
export function watch<T>(promise: Promise<T>): { value: T | undefined; error: unknown; isDone: boolean } {
  const seen: ReturnType<typeof watch<T>> = { value: undefined, error: undefined, isDone: false };
  promise.then(
    (value) => Object.assign(seen, { value, isDone: true }),
    (error: unknown) => Object.assign(seen, { error, isDone: true }),
  );
  return seen;
}

/** A backend that needs no start. */
export const awake = {
  isReady: true,
  start: (): Promise<never> => Promise.reject(new Error("It was ready")),
};

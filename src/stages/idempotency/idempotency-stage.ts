/**
 * Makes calls with one idempotency key once: whoever asks again gets the answer there was. A key is used up by a success,
 * and by an outcome that nobody knows (the connection was lost, the gateway killed); never by a refusal or by an answer
 * that says the tool failed. After draft-ietf-httpapi-idempotency-key-header, with the caller's own keys for each caller.
 */
import { Answer } from "../../core/answer.ts";
import { type Call, holderOf, type Next, type Stage } from "../../core/call.ts";
import { DeniedError, GatewayError, NotStartedYetError, UnreachedError, UpstreamRpcError } from "../../core/errors.ts";
import { stableJson } from "../../lib/json.ts";
import { toolName } from "../tool-name.ts";

const metaKey = "mcp-gateway/idempotency";
const maxKeyCharacters = 256;
const retryAfterMs = 1_000;

/** What is known of a key. */
export type KeyState =
  /** The call is to be made; one of the three must be said of it afterwards. */
  | { readonly is: "new"; readonly attempt: Attempt }
  | { readonly is: "answered"; readonly answer: Answer }
  | { readonly is: "running" }
  /** It may have been made, and its answer is not known or too long to be kept. */
  | { readonly is: "spent" }
  | { readonly is: "of another call" };

/** What is said of it is waited for: whoever asks again after the answer, at whatever gateway, finds it. */
export interface Attempt {
  succeeded(answer: Answer): void | Promise<void>;
  /** Nothing came of it: the key is as good as new. */
  failed(): void | Promise<void>;
  /** Nobody knows what came of it. */
  lost(): void | Promise<void>;
}

export interface IdempotencyBook {
  /**
   * Resolves when the key is taken for good: what begins after that is not forgotten by a crash.
   * @param holder whose key it is: everybody has keys of their own
   * @param request what the key must always come with
   */
  begin(holder: string, key: string, request: string): Promise<KeyState>;
}

export function idempotencyStage(book: IdempotencyBook | undefined): Stage | undefined {
  if (book === undefined) return undefined;
  return (call, next) => {
    const { idempotencyKey: key } = call;
    if (key === undefined) return next(call);
    const tool = toolName(call);
    return tool === undefined ? next(call) : once(call, next, tool, key);
  };

  async function once(call: Call, next: Next, tool: string, key: string): ReturnType<Next> {
    if (key === "" || key.length > maxKeyCharacters)
      throw new GatewayError("INVALID_PARAMS", `An idempotency key has 1 to ${maxKeyCharacters} characters`);
    const request = stableJson([call.upstream, tool, call.params?.["arguments"] ?? {}]);
    const state = await (book as IdempotencyBook).begin(holderOf(call), key, request);
    if (state.is === "answered")
      return Answer.kept(state.answer.exactValue, "idempotency", { [metaKey]: { repeated: true } });
    if (state.is !== "new") throw conflict(call, state.is);
    const { attempt } = state;
    try {
      const answer = await next(call);
      if (answer.isError || answer.value["resultType"] === "input_required") await attempt.failed();
      else await attempt.succeeded(answer);
      return answer;
    } catch (error) {
      if (neverRan(error)) await attempt.failed();
      else await attempt.lost();
      throw error;
    }
  }
}

/** Refused here, not sent, or answered with an error. */
function neverRan(error: unknown): boolean {
  return [DeniedError, UpstreamRpcError, NotStartedYetError, UnreachedError].some((Kind) => error instanceof Kind);
}

const conflicts = {
  running: ["still runs", "Ask again when it is over"],
  spent: [
    "was made, or may have been, and its answer is not at hand",
    "Find out whether it took effect; to make it again, use a new key",
  ],
  "of another call": ["was for another tool or other arguments", "Use a new key for every call that is a new one"],
} as const;

function conflict({ upstream: server }: Call, state: keyof typeof conflicts): DeniedError {
  const [what, hint] = conflicts[state];
  return new DeniedError("IDEMPOTENCY_CONFLICT", `The call with this idempotency key ${what}`, {
    hint,
    data: { server, ...(state === "running" && { retry_after_ms: retryAfterMs }) },
  });
}

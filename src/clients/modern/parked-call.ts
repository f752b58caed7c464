/**
 * A call for a client of 2026-07-28 during which a server asks something, as servers of the older eras do. The client
 * cannot be asked; it gets the questions as the answer, and asks again with what its user said (basic/patterns, "Multi
 * Round-Trip Requests"). Between the two the call waits here.
 */
import { abortError } from "../../core/abort-error.ts";
import type { ClientEnvelope, ClientLink } from "../../core/call.ts";
import { CancelledError, GatewayError } from "../../core/errors.ts";
import { Cancellation, type CancelSignal } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import type { RequestId } from "../../mcp/json-rpc.ts";
import { assertSupported, canBeAsked } from "../client-capabilities.ts";
import type { FaceContext } from "../face.ts";
import type { RequestScope } from "../request-scope.ts";

/** Questions that come this close together are asked together. */
const gatherMs = 5;
/** A person has as long to answer. */
const parkedMs = 600_000;

interface Question {
  readonly method: string;
  readonly params: JsonObject;
  resolve(answer: JsonObject): void;
}

/** A request of the client that waits for the call. */
type Round = Pick<FaceContext, "signal" | "emit">;

export interface ParkedCallOptions {
  /** Names the call to the client; a secret no better than the seal around it. */
  readonly id: string;
  readonly envelope: ClientEnvelope;
  readonly clock: Clock;
  /** Told when a client may come back for it, and when none will any more. */
  onParked(): void;
  onOver(): void;
}

export class ParkedCall {
  readonly id: string;
  readonly envelope: ClientEnvelope;
  /** The way to ask its client something; `undefined` when there is nothing it could be asked. */
  readonly link: ClientLink | undefined;
  /** Aborted when the client hangs up during a round, or does not come back. */
  readonly signal = new Cancellation();
  /** Times its client was asked. */
  rounds = 0;
  readonly #options: ParkedCallOptions;
  readonly #questions = new Map<string, Question>();
  #lastQuestion = 0;
  /** The request that waits now; none while it is the client's turn. */
  #round: Round | undefined;
  #scope: RequestScope | undefined;
  readonly #outcome = Promise.withResolvers<string>();
  #tellAsked = () => {};
  #cancelGathering = () => {};
  #cancelParking = () => {};

  constructor(options: ParkedCallOptions) {
    this.id = options.id;
    // Nobody may wait for it just when it fails.
    this.#outcome.promise.catch(() => {});
    this.envelope = options.envelope;
    this.#options = options;
    const { capabilities } = options.envelope;
    if (canBeAsked(capabilities))
      this.link = {
        sessionId: this.id,
        capabilities,
        ask: async (method, params, signal) => {
          assertSupported(method, params, capabilities);
          return await this.#ask(method, params, signal);
        },
      };
  }

  emit(messageText: string): boolean {
    return this.#round?.emit(messageText) ?? false;
  }

  /** @param run the call itself, in that scope */
  begin(context: Round, scope: RequestScope, run: () => Promise<string>): Promise<string | JsonObject> {
    this.#scope = scope;
    const turn = this.#untilTurn(context);
    this.#outcome.resolve(run());
    return turn;
  }

  /**
   * The client is back. Resolves with the text of the result, or with the questions it has to answer first.
   * @throws GatewayError INVALID_REQUEST when another request of it is waiting
   */
  resume(context: Round, answers: unknown, progressToken: RequestId | undefined): Promise<string | JsonObject> {
    if (this.#round !== undefined)
      throw new GatewayError("INVALID_REQUEST", "Another request goes on with this call already");
    this.#cancelParking();
    if (this.#scope !== undefined) this.#scope.progressToken = progressToken;
    for (const [key, answer] of Object.entries(isJsonObject(answers) ? answers : {})) {
      const question = this.#questions.get(key);
      if (question === undefined || !isJsonObject(answer)) continue;
      this.#questions.delete(key);
      question.resolve(answer);
    }
    return this.#untilTurn(context);
  }

  async #untilTurn(context: Round): Promise<string | JsonObject> {
    this.#round = context;
    const onGone = () => this.signal.abort(new CancelledError("The client disconnected"));
    if (context.signal.aborted) onGone();
    else context.signal.addEventListener("abort", onGone);
    const asked = new Promise<undefined>((resolve) => {
      this.#tellAsked = () => resolve(undefined);
      if (this.#questions.size > 0) resolve(undefined);
    });
    try {
      const text = await Promise.race([this.#outcome.promise, asked]);
      if (text === undefined) return this.#park();
      this.#options.onOver();
      return text;
    } catch (error) {
      this.signal.abort(new CancelledError("Nobody waits for the call any more"));
      this.#options.onOver();
      throw error;
    } finally {
      context.signal.removeEventListener("abort", onGone);
      this.#round = undefined;
      this.#tellAsked = () => {};
    }
  }

  #park(): JsonObject {
    this.#cancelParking = this.#options.clock.after(parkedMs, () => {
      this.signal.abort(new CancelledError("The client did not come back"));
      this.#options.onOver();
    });
    this.#options.onParked();
    this.rounds++;
    return Object.fromEntries([...this.#questions].map(([key, { method, params }]) => [key, { method, params }]));
  }

  #ask(method: string, params: JsonObject, signal: CancelSignal): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const key = `question-${++this.#lastQuestion}`;
      const onAbort = () => {
        this.#questions.delete(key);
        reject(abortError(signal));
      };
      signal.addEventListener("abort", onAbort);
      this.#questions.set(key, {
        method,
        params,
        resolve: (answer) => {
          signal.removeEventListener("abort", onAbort);
          resolve(answer);
        },
      });
      this.#cancelGathering();
      this.#cancelGathering = this.#options.clock.after(gatherMs, () => {
        if (this.#questions.size > 0) this.#tellAsked();
      });
    });
  }
}

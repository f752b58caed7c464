/**
 * Tells a server who calls: each attempt gets an `Authorization` of its caller, and nothing of anybody else's. What the
 * server refuses of one caller is that caller's failure, not the server's: no circuit opens for all the others.
 */
import { untilAborted } from "../../core/abort-error.ts";
import { type Call, holderOf, type Stage } from "../../core/call.ts";
import { DeniedError, GatewayError, wantsOtherCredentials } from "../../core/errors.ts";
import { redacted, shortestSecret } from "../../lib/redact.ts";
import { redactAnswer } from "../redact-answer.ts";

/** What one backend is told of callers. */
export interface IdentityBroker {
  /** Whether calls of those of whom there is nothing to tell are refused. */
  readonly required: boolean;
  /** What a caller must come with, in words. */
  readonly wanted: string;
  /** Whether there is something to tell of the caller. */
  covers(who: Who): boolean;
  /**
   * Value of `Authorization`, for a caller that is covered.
   * @throws DeniedError FORBIDDEN when none is to be had for this caller, UpstreamError when it cannot be asked for
   */
  authorizationFor(who: Who): Promise<string>;
  /** The server did not take the last one of this caller. */
  refused(who: Who): void;
}

/** What of a call says who makes it. */
export type Who = Pick<Call, "caller" | "credentials">;

export function identityStage(broker: IdentityBroker | undefined): Stage | undefined {
  if (broker === undefined) return undefined;
  return async (call, next) => {
    if (!broker.covers(call)) {
      if (broker.required) throw nobody(call, broker.wanted);
      return next(call);
    }
    const sent = new Set<string>();
    const holder = { key: holderOf(call), attachment: attachmentsOf(broker, call, sent) };
    const { headers } = await untilAborted(holder.attachment(), call.signal);
    const { attached } = call;
    const told = { headers: { ...attached?.headers, ...headers }, query: attached?.query ?? {}, holder };
    const conceal = (text: string) => without(text, sent);
    try {
      return redactAnswer(await next({ ...call, attached: told }), conceal);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      error.redact(conceal);
      if (!wantsOtherCredentials(error)) throw error;
      broker.refused(call);
      throw notTaken(call, error);
    }
  };
}

/**
 * A session of the caller's outlives the call, of which it keeps no more than this.
 * @param sent gets every credential that is made
 */
function attachmentsOf(broker: IdentityBroker, { caller, credentials }: Who, sent: Set<string>) {
  return async () => {
    const authorization = await broker.authorizationFor({ caller, credentials });
    sent.add(authorization.slice(authorization.indexOf(" ") + 1));
    return { headers: { authorization }, query: {} };
  };
}

/** A server may repeat what it was told; a client must not learn by that what speaks for it there. */
function without(text: string, credentials: Iterable<string>): string {
  let clean = text;
  for (const one of credentials)
    if (one.length >= shortestSecret && clean.includes(one)) clean = clean.replaceAll(one, redacted);
  return clean;
}

function nobody({ upstream: server, caller }: Call, wanted: string): DeniedError {
  return new DeniedError(
    "FORBIDDEN",
    `Server "${server}" is told who calls, and of "${caller.name}" there is nothing to tell`,
    {
      hint: `Come with ${wanted}`,
      data: { server, reason: "no_identity" },
    },
  );
}

function notTaken({ upstream: server }: Call, cause: GatewayError): DeniedError {
  return new DeniedError("FORBIDDEN", `Server "${server}" does not let this caller in: ${cause.message}`, {
    hint: "What it is told of callers is set in identity_propagation of the backend; who may do what is its own decision",
    cause,
    data: { server, reason: "identity_refused" },
  });
}

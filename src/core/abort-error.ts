/** What a request rejects with when its signal aborts: a reason of ours (a timeout, a shutdown) as it is, anything else as a cancellation. */
import { CancelledError, GatewayError } from "./errors.ts";

export function abortError(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  return reason instanceof GatewayError ? reason : new CancelledError(undefined, { cause: reason });
}

/** Streamable HTTP of 2026-07-28: one POST, one request, no session (transports/streamable-http of that revision). */

import { CancelledError, GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { modernVersion } from "../../mcp/envelope.ts";
import type { RpcMessage } from "../../mcp/json-rpc.ts";
import type { Accepted } from "./accept.ts";
import { viewAskedBy } from "./asked-view.ts";
import { whenExpired } from "./event-stream.ts";
import { Exchange, type ExchangePace } from "./exchange.ts";
import { RequestCredentials } from "./request-credentials.ts";
import { Refusal, sendEmpty } from "./respond.ts";
import type { Visit } from "./visit.ts";

export async function answerModern(
  gateway: Gateway,
  visit: Visit,
  backend: string | undefined,
  accepted: Accepted,
  message: RpcMessage,
  pace: ExchangePace,
): Promise<Response> {
  if (message.kind === "response")
    throw new GatewayError("INVALID_REQUEST", `Revision ${modernVersion} has no responses of clients`);
  // None is defined that would mean something here; hanging up cancels.
  if (message.kind === "notification") return sendEmpty(visit, 202);
  if (message.method === "subscriptions/listen" && !accepted.events)
    throw new Refusal(
      406,
      'The "Accept" header does not allow "text/event-stream", which "subscriptions/listen" needs',
    );
  const gone = new Cancellation();
  const onGone = () => gone.abort(new CancelledError("The client disconnected"));
  const { signal } = visit.request;
  if (signal.aborted) onGone();
  else signal.addEventListener("abort", onGone);
  // A call that runs may finish; what listens would not end by itself.
  if (message.method === "subscriptions/listen") {
    const cancelExpiry = whenExpired(visit.caller, pace.clock, () =>
      gone.abort(new CancelledError("The token has expired")),
    );
    gone.addEventListener("abort", cancelExpiry);
  }
  const exchange = new Exchange(visit, undefined, accepted, pace, gone);
  const context = {
    caller: visit.caller,
    credentials: new RequestCredentials(visit.request.headers, visit.caller, backend),
    backend,
    requestId: visit.requestId,
    signal: gone,
    emit: (messageText: string) => exchange.emit(messageText),
    ...viewAskedBy(visit.request),
    peer: visit.peer,
    traceparent: visit.request.headers.get("traceparent") ?? undefined,
    header: (name: string) => visit.request.headers.get(name),
  };
  return exchange.respond(gateway.modernFace().then((face) => face.handle(message, context)));
}

/**
 * One request of a service to a webhook. It shows no token: the signature says who sends it, so it stands outside
 * `auth`. `Host` and `Origin` are checked as on every route: services reach the gateway by the name of `server.public_url`
 * or `server.allowed_hosts`, and a web page that posts to a webhook without a secret is kept away.
 */
import type { Receipt } from "../../capabilities/webhooks/receiver.ts";
import { errorCodes } from "../../core/error-codes.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { logDefect } from "../log-defect.ts";
import { notAllowed } from "./mcp-endpoint.ts";
import { readBody } from "./read-body.ts";
import { type ExtraHeaders, Refusal, send, sendJson } from "./respond.ts";
import type { Visit } from "./visit.ts";

/** A request to an address that asks nobody who calls. */
export type Arrival = Omit<Visit, "caller">;

/** @param path as {@link webhookPathOf} gives it */
export async function receiveWebhook(gateway: Gateway, visit: Arrival, path: string): Promise<Response> {
  try {
    const { challenge, ...receipt } = await receive(gateway, visit, path);
    if (challenge !== undefined) return send(visit, 200, "text/plain", challenge);
    return sendJson(visit, 200, JSON.stringify({ status: "received", request_id: visit.requestId, ...receipt }));
  } catch (error) {
    logDefect(gateway.log, visit.requestId, error);
    return refused(visit, error);
  }
}

async function receive(gateway: Gateway, visit: Arrival, path: string): Promise<Receipt> {
  const { request, peer, requestId } = visit;
  if (gateway.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping: send it again");
  const receiver = await gateway.webhooks.receiver();
  const endpoint = receiver?.find(path);
  if (receiver === undefined || endpoint === undefined)
    throw new GatewayError("RESOURCE_NOT_FOUND", "There is no webhook at this path");
  const { method } = endpoint.webhook;
  if (request.method !== method) throw notAllowed(request.method, method);
  return receiver.receive(path, {
    requestId,
    address: peer.address,
    header: (name) => request.headers.get(name),
    readBody: (maxBytes) => readBody(request, maxBytes),
  });
}

function refused(visit: Arrival, error: unknown): Response {
  const body = (text: string) => JSON.stringify({ error: text, request_id: visit.requestId });
  if (!(error instanceof GatewayError)) return sendJson(visit, 500, body("The gateway failed: its log has the reason"));
  if (error instanceof Refusal) return sendJson(visit, error.status, body(error.message), error.headers);
  const { retryAfterMs } = error;
  const extra: ExtraHeaders | undefined =
    retryAfterMs === undefined ? undefined : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  return sendJson(visit, errorCodes[error.code].http, body(error.message), extra);
}

/**
 * Puts the secrets of `backends.<name>.secrets` into calls, below everything that keeps or shows what a call says, and
 * takes them out of whatever the server says back while it works on one.
 */
import type { Call, Stage } from "../../core/call.ts";
import { isJsonObject, type JsonObject, mapStrings } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { redactAnswer } from "../redact-answer.ts";
import { toolName } from "../tool-name.ts";
import type { InjectedSecret } from "./schema.ts";
import { attachmentOf, isForTool, isOfConnection, secretForms } from "./sent-secret.ts";

export function secretsStage(secrets: readonly InjectedSecret[] | undefined): Stage | undefined {
  if (secrets === undefined || secrets.length === 0) return undefined;
  // What the connection sends comes with every request anyway.
  const ofCalls = secrets.filter((secret) => !isOfConnection(secret));
  const { redactKnown } = new Redactor(secrets.flatMap(secretForms));

  return (call, next) =>
    next(muted(withSecrets(call, ofCalls), redactKnown)).then((answer) => redactAnswer(answer, redactKnown));
}

/** The call as its server is to get it; the very same one where no secret is for its tool. */
function withSecrets(call: Call, secrets: readonly InjectedSecret[]): Call {
  const tool = toolName(call);
  const wanted = tool === undefined ? [] : secrets.filter((secret) => isForTool(secret, tool));
  if (wanted.length === 0) return call;
  const given = call.params?.["arguments"];
  const injected = wanted.filter(({ inject_as }) => inject_as === "argument");
  const args = Object.fromEntries(injected.map(({ inject_key, value }) => [inject_key, value]));
  const params = { ...call.params, arguments: { ...(isJsonObject(given) ? given : {}), ...args } };
  return { ...call, params: injected.length === 0 ? call.params : params, attached: attachmentOf(wanted) };
}

/** What the server says to the client before it answers goes through `redact`. */
function muted(call: Call, redact: (text: string) => string): Call {
  const { onProgress, onNotification, client } = call;
  if (onProgress === undefined && onNotification === undefined && client === undefined) return call;
  const clean = (params: JsonObject) => mapStrings(params, redact) as JsonObject;
  return {
    ...call,
    onProgress: onProgress && ((params) => onProgress(clean(params))),
    onNotification: onNotification && ((method, params) => onNotification(method, clean(params))),
    client: client && {
      sessionId: client.sessionId,
      capabilities: client.capabilities,
      ask: (method, params, signal) => client.ask(method, clean(params), signal),
    },
  };
}

/**
 * `subscriptions/listen` (basic/patterns, "Subscriptions"): the answer stays open and carries what the client asked to
 * be told of, and nothing else.
 */
import { CancelledError, GatewayError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { metaKeys } from "../../mcp/envelope.ts";
import { encodeRequest } from "../../mcp/json-rpc.ts";
import { listKinds } from "../../mcp/protocol.ts";
import type { Listening } from "../listening.ts";
import type { RequestScope } from "../request-scope.ts";
import { watch } from "../subscribe.ts";

const maxListenings = 1_000;
const maxResources = 1_000;

/** The list changes a client can ask for. */
const listChanges: Readonly<Record<string, string>> = {
  toolsListChanged: listKinds.tools.changed,
  promptsListChanged: listKinds.prompts.changed,
  resourcesListChanged: listKinds.resources.changed,
};

export async function listen(request: RequestScope): Promise<string> {
  const { host, context, message } = request;
  const wanted = request.params["notifications"];
  if (!isJsonObject(wanted))
    throw new GatewayError("INVALID_PARAMS", '"subscriptions/listen" needs "notifications", an object');
  if (host.listenings.size >= maxListenings)
    throw new GatewayError("OVERLOADED", `There are ${maxListenings} listening clients already`);
  const subscription = { [metaKeys.subscriptionId]: message.id };
  const tell = (method: string, params: JsonObject) => {
    const meta = params["_meta"];
    const _meta = { ...(isJsonObject(meta) ? meta : {}), ...subscription };
    context.emit(encodeRequest(undefined, method, { ...params, _meta }));
  };

  const kinds = Object.keys(listChanges).filter((kind) => wanted[kind] === true);
  const over = Promise.withResolvers<void>();
  const onGone = () => over.resolve();
  /** What comes before the acknowledgement, which is to be the first message. */
  let early: (() => void)[] | undefined = [];
  const listening: Listening = {
    backend: context.backend,
    caller: context.caller,
    changes: new Set(kinds.map((kind) => listChanges[kind] as string)),
    notify(method, params = {}) {
      if (early === undefined) tell(method, params);
      else early.push(() => tell(method, params));
    },
    end: () => over.resolve(),
  };
  host.listenings.add(listening);
  context.signal.addEventListener("abort", onGone);
  try {
    const watched = await watchAll(request, listening, wanted["resourceSubscriptions"]);
    const honoured: JsonObject = {
      ...Object.fromEntries(kinds.map((kind) => [kind, true])),
      ...(watched.length > 0 ? { resourceSubscriptions: watched } : {}),
    };
    tell("notifications/subscriptions/acknowledged", { notifications: honoured });
    for (const say of early) say();
    early = undefined;
    if (!context.signal.aborted) await over.promise;
    if (context.signal.aborted) throw new CancelledError("The client does not listen any more");
    return JSON.stringify({ _meta: subscription });
  } finally {
    context.signal.removeEventListener("abort", onGone);
    host.listenings.delete(listening);
    for (const watched of host.subscriptions.removeWatcher(listening)) host.unwatch(watched);
  }
}

/** Those of the resources that can be watched. */
async function watchAll(request: RequestScope, listening: Listening, uris: unknown): Promise<string[]> {
  if (uris === undefined) return [];
  if (!Array.isArray(uris) || uris.length > maxResources || !uris.every((uri) => typeof uri === "string"))
    throw new GatewayError("INVALID_PARAMS", `"resourceSubscriptions" must be at most ${maxResources} URIs`);
  const isOver = () => request.context.signal.aborted;
  const found = await Promise.all(
    uris.map(async (uri: string) => {
      try {
        await watch(request, listening, uri, isOver);
        return [uri];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}

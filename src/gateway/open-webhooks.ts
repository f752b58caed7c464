/** What webhooks of capabilities report passes the firewall and reaches who may use the capability. Loaded with the first webhook. */
import type { Endpoint, WebhookReceiver } from "../capabilities/webhooks/receiver.ts";
import type { SeenDeliveries } from "../capabilities/webhooks/seen-deliveries.ts";
import type { Webhook } from "../capabilities/webhooks/webhook.ts";
import { announceMessage } from "../clients/fan-out.ts";
import { Answer } from "../core/answer.ts";
import type { Caller } from "../core/caller.ts";
import { errorCodeOf } from "../core/errors.ts";
import { neverCancelled } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import type { WebhookView } from "../meta/meta-tool.ts";
import type { Webhooks, WebhooksOptions } from "./webhooks.ts";

/** In the log of the firewall. */
const sender: Caller = {
  principal: "webhook",
  name: "webhook",
  admin: false,
  backends: undefined,
  allowedTools: undefined,
  deniedTools: undefined,
};

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { config, capabilities, host, onFindings, stateDirectory, noteProblem } = options;
  let receiver: WebhookReceiver | undefined;
  let seen: SeenDeliveries | undefined;
  /** Resolves when everything that was taken is in force. */
  let taking: Promise<void> = Promise.resolve();

  async function load(): Promise<WebhookReceiver> {
    if (receiver !== undefined) return receiver;
    const [{ WebhookReceiver }, { openSeenDeliveries }] = await Promise.all([
      import("../capabilities/webhooks/receiver.ts"),
      import("../capabilities/webhooks/seen-deliveries.ts"),
    ]);
    seen = await openSeenDeliveries({
      ...options,
      path: stateDirectory === undefined ? undefined : `${stateDirectory}/webhooks.json`,
      calendar: Date.now,
      onProblem: noteProblem("Deliveries of webhooks", "one may be told again after a restart"),
    });
    receiver = new WebhookReceiver({
      ...options,
      settings: () => config().webhooks,
      seen,
      calendar: Date.now,
      inspect,
      tell: ({ capability: tool, audience }, params) =>
        announceMessage(host(), { server: config().capabilities.name, tool, audience }, params),
    });
    return receiver;
  }

  /** By the very stage that results pass, under the rules of the capability. */
  async function inspect({ capability }: Webhook, params: JsonObject, requestId: string) {
    const { firewallResponseStage } = await import("../stages/firewall/firewall-response-stage.ts");
    const stage = firewallResponseStage(config().security.firewall, onFindings);
    if (stage === undefined) return params;
    const call = {
      upstream: config().capabilities.name,
      method: "tools/call",
      params: { name: capability },
      caller: sender,
      sessionId: undefined,
      requestId,
      deadline: Number.POSITIVE_INFINITY,
      signal: neverCancelled,
      safe: true,
    };
    try {
      return (await stage(call, async () => Answer.of(params))).exactValue;
    } catch (error) {
      if (errorCodeOf(error) === "FIREWALL_BLOCKED") return undefined;
      throw error;
    }
  }

  async function started(): Promise<WebhookReceiver | undefined> {
    const upstream = config().webhooks.enabled ? capabilities() : undefined;
    if (upstream === undefined) return undefined;
    await upstream.start(neverCancelled);
    await taking;
    return receiver;
  }

  function viewOf({ webhook, counts }: Endpoint): WebhookView {
    const { base_path, require_signature } = config().webhooks;
    return {
      server: config().capabilities.name,
      path: `${base_path.replace(/\/$/, "")}${webhook.path}`,
      method: webhook.method,
      capability: webhook.capability,
      webhook_name: webhook.name,
      signature_required: require_signature || webhook.secret !== undefined,
      notify: webhook.notify,
      stats: { ...counts },
    };
  }

  const known = () =>
    config().webhooks.enabled && capabilities() !== undefined ? (receiver?.endpoints ?? []).map(viewOf) : [];
  return {
    receiver: started,
    async list() {
      await started();
      return known();
    },
    known,
    take(upstream, webhooks, env) {
      // The one before may have read its files once more.
      if (upstream !== capabilities() || (receiver === undefined && webhooks.length === 0)) return;
      taking = taking.then(async () => (await load()).configure(webhooks, env));
    },
    async flush() {
      await seen?.flush();
    },
  };
}

/** Webhooks of the capabilities, put together; what they are made of is loaded when a file has one, or somebody asks. */
import type { WebhookReceiver } from "../capabilities/webhooks/receiver.ts";
import type { Webhook } from "../capabilities/webhooks/webhook.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import type { WebhookView } from "../meta/meta-tool.ts";
import type { Environment } from "../runtime/process.ts";
import type { FirewallSink } from "../stages/firewall/finding.ts";

export interface Webhooks {
  /** Where deliveries are taken, once the capability files are read; `undefined` where there are no webhooks. */
  receiver(): Promise<WebhookReceiver | undefined>;
  /** Of those the files declare now, once they are read. */
  list(): Promise<readonly WebhookView[]>;
  /** As {@link list}, of those that are known without reading any file. */
  known(): readonly WebhookView[];
  /** What the capability backend read in its files. */
  take(upstream: Upstream, webhooks: readonly Webhook[], env: Environment): void;
  /** Resolves when it is on the disk which deliveries came. */
  flush(): Promise<void>;
}

export interface WebhooksOptions {
  readonly config: () => Config;
  readonly log: Logger;
  readonly clock: Clock;
  learnSecret(value: string): void;
  /** The backend in force; `undefined` while capabilities are off. */
  readonly capabilities: () => Upstream | undefined;
  readonly host: () => FaceHost;
  readonly onFindings: FirewallSink;
  /** `undefined` keeps in memory which deliveries came. */
  readonly stateDirectory: string | undefined;
  noteProblem(what: string, consequence: string): (error: unknown) => void;
}

export function createWebhooks(options: WebhooksOptions): Webhooks {
  let open: Webhooks | undefined;
  let opening: Promise<Webhooks> | undefined;

  function load(): Promise<Webhooks> {
    opening ??= import("./open-webhooks.ts").then(({ openWebhooks }) => {
      open = openWebhooks(options);
      return open;
    });
    return opening;
  }

  return {
    receiver: async () => (await load()).receiver(),
    list: async () => (await load()).list(),
    known: () => open?.known() ?? [],
    take(upstream, webhooks, env) {
      if (open !== undefined) open.take(upstream, webhooks, env);
      else if (webhooks.length > 0 || opening !== undefined)
        void load().then((all) => all.take(upstream, webhooks, env));
    },
    async flush() {
      await (await opening)?.flush();
    },
  };
}

/** The way to the webhooks of capabilities, which is loaded with the first delivery. */
import type { WebhooksSettings } from "../../capabilities/webhooks/schema.ts";

/** The part of the path that names a webhook, with a slash before and none behind; `undefined` for every other address. */
export function webhookPathOf({ enabled, base_path }: WebhooksSettings, path: string): string | undefined {
  if (!enabled || !path.startsWith(base_path)) return undefined;
  const rest = path.slice(base_path.replace(/\/$/, "").length);
  return rest.startsWith("/") ? rest.replace(/\/$/, "") : undefined;
}

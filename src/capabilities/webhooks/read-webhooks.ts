/** `webhooks` of a capability file → {@link Webhook}s. */
import type { Audience } from "../../core/audience.ts";
import { isJsonObject } from "../../lib/json.ts";
import { webhookSchema } from "../definition-schema.ts";
import { type FileReport, quote } from "../file-report.ts";
import { keySource } from "../key-source.ts";
import { isSetting, placeholdersIn } from "../template.ts";
import type { Webhook } from "./webhook.ts";

/** Those that are right; the report has what is wrong with the others. */
export function readWebhooks(
  definitions: Readonly<Record<string, unknown>>,
  { name: capability, audience }: { readonly name: string; readonly audience: Audience },
  report: FileReport,
): Webhook[] {
  return Object.entries(definitions).flatMap(([name, definition]) => {
    const at = ["webhooks", name];
    report.unknownKeys(webhookSchema, definition, at);
    if (isJsonObject(definition))
      report.unknownKeys(webhookSchema.entries.transform.wrapped, definition["transform"], [...at, "transform"]);
    const parsed = report.parse(webhookSchema, definition, at);
    if (parsed === undefined) return [];
    const { path, method, secret, signature_header, notify, transform } = parsed;
    const source = secret ? keySource(secret) : undefined;
    const isKept = source !== undefined && source.from !== "oauth";
    if (secret && !isKept) {
      const key = [...at, "secret"];
      const example = "must say where the secret is, e.g. env:WEBHOOK_SECRET";
      report.problem(key, `${quote(key)} ${example}; a secret itself does not belong in the file`);
    }
    if (placeholdersIn(JSON.stringify(transform)).some(isSetting)) {
      const key = [...at, "transform"];
      report.problem(key, `${quote(key)} has only what arrives, neither {env.NAME} nor {keychain.NAME}`);
    }
    const webhook = {
      capability,
      audience,
      name,
      path: `/${path.replace(/^\/|\/$/g, "")}`,
      method,
      secret: isKept ? source : undefined,
      signatureHeader: signature_header.toLowerCase(),
      notify,
      transform,
      place: report.place(at),
    };
    return [webhook];
  });
}

/** One webhook of a capability file: where a service reports its events, and what becomes of them. */
import type { Audience } from "../../core/audience.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { KeySource } from "../key-source.ts";

export interface Webhook {
  /** Name of its capability: who may use that may hear of the events. */
  readonly capability: string;
  /** Whom the capability is for. */
  readonly audience: Audience;
  /** Its key in the file. */
  readonly name: string;
  /** Below `webhooks.base_path`, with a slash before and none behind. */
  readonly path: string;
  readonly method: string;
  readonly secret: Exclude<KeySource, { from: "oauth" }> | undefined;
  /** In lower case; also says how the service signs. */
  readonly signatureHeader: string;
  readonly notify: boolean;
  /** Templates over the fields of what arrives. */
  readonly transform: { readonly event_type?: string | undefined; readonly data?: JsonObject | undefined };
  /** `file:line:column` */
  readonly place: string;
}

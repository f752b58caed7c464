import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const remoteServerSigningSchema = v.object({
  require_for_remote_backends: setting(
    v.boolean(),
    false,
    "Refuse a configuration with a backend over HTTP, WebSocket or A2A that no trusted key has signed",
  ),
  trusted_keys: setting(
    v.record(
      v.string(),
      v.object({
        algorithm: setting(v.literal("ed25519"), "ed25519", "Kind of key"),
        public_key: v.pipe(v.string(), v.description("The key in base64; `trust keygen` prints it")),
      }),
    ),
    {},
    "Keys that are trusted, by name",
  ),
  backends: setting(
    v.record(
      v.string(),
      v.object({
        subject: v.pipe(v.string(), v.description("Whom it names")),
        issuer: v.pipe(v.string(), v.description("Who signed")),
        issued_at: v.pipe(v.union([v.string(), v.number()]), v.description("When")),
        key_id: v.pipe(v.string(), v.description("Name of the key")),
        signature: v.pipe(v.string(), v.description("The signature in base64")),
      }),
    ),
    {},
    "Signatures by backend, or `name/id` of a replica; `trust sign-backend` prints them",
  ),
});
export type ServerSignature = v.InferOutput<typeof remoteServerSigningSchema>["backends"][string];

/** A part of a backend's entry whose feature comes later. */
import * as v from "valibot";
import { maybe, setting } from "../../../core/kinds.ts";

export const identityPropagationSchema = v.strictObject({
  strategy: v.picklist(["signed_assertion", "passthrough", "token_exchange", "vault"]),
  audience: maybe(v.string(), "Audience of the token the backend gets"),
  required: setting(v.boolean(), false, "Refuse calls of callers without an identity"),
  session_mode: setting(v.picklist(["stateless", "per_user"]), "stateless", "Whether each person gets a session"),
  token_exchange_endpoint: maybe(v.string(), "Where tokens are exchanged"),
  token_exchange_scope: maybe(v.string(), "Scope to ask for"),
});

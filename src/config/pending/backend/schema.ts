/** Parts of a backend's entry whose feature comes later. */
import * as v from "valibot";
import { maybe, secret, setting } from "../../../core/kinds.ts";

export const injectedSecretSchema = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.description("Name in logs")),
  credential_type: setting(v.picklist(["api_key", "bearer", "basic_auth", "custom"]), "api_key", "Kind of credential"),
  value: secret,
  inject_as: setting(v.picklist(["argument", "header", "query"]), "argument", "Where it goes"),
  inject_key: v.pipe(v.string(), v.minLength(1), v.description("Name of the argument, header or parameter")),
  tools: setting(v.array(v.string()), ["*"], "Tools it is for, as globs"),
});

export const identityPropagationSchema = v.strictObject({
  strategy: v.picklist(["signed_assertion", "passthrough", "token_exchange", "vault"]),
  audience: maybe(v.string(), "Audience of the token the backend gets"),
  required: setting(v.boolean(), false, "Refuse calls of callers without an identity"),
  session_mode: setting(v.picklist(["stateless", "per_user"]), "stateless", "Whether each person gets a session"),
  token_exchange_endpoint: maybe(v.string(), "Where tokens are exchanged"),
  token_exchange_scope: maybe(v.string(), "Scope to ask for"),
});

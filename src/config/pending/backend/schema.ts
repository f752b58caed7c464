/** Parts of a backend's entry whose feature comes later. */
import * as v from "valibot";
import { maybe, nonNegativeInteger, port, secret, setting } from "../../../core/kinds.ts";

export const oauthSchema = v.object({
  enabled: setting(v.boolean(), true, "Log in to the backend by OAuth"),
  scopes: setting(v.array(v.string()), [], "Scopes to ask for"),
  client_id: maybe(v.string(), "Client id, where the server does not register clients by itself"),
  client_secret: maybe(secret, "Client secret: a literal or `env:VAR`"),
  callback_host: maybe(v.string(), "Host of the callback address; localhost by default"),
  callback_port: maybe(port, "Port of the callback address; a free one by default"),
  callback_path: maybe(
    v.pipe(v.string(), v.startsWith("/")),
    "Path of the callback address; /oauth/callback by default",
  ),
  token_refresh_buffer_secs: setting(nonNegativeInteger, 300, "Seconds before its end at which a token is renewed"),
  shared_account: setting(v.boolean(), false, "All clients of the gateway use one account"),
});

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

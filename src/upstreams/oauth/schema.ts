import * as v from "valibot";
import { maybe, nonNegativeInteger, port, secret, setting } from "../../core/kinds.ts";

export const oauthSchema = v.object({
  enabled: setting(v.boolean(), true, "Log in to the backend by OAuth"),
  scopes: setting(v.array(v.string()), [], "Scopes to ask for"),
  client_id: maybe(
    v.string(),
    "Client id, where the server does not register clients by itself; or the `https://` address of a document about the client",
  ),
  client_secret: maybe(secret, "Client secret: a literal or `env:VAR`"),
  grant_type: maybe(
    v.picklist(["authorization_code", "client_credentials"]),
    "How tokens are got: by a person's login, or with `client_id` and `client_secret` alone; without it by a login, unless the authorization server offers the other way only",
  ),
  issuer: maybe(
    v.string(),
    "Issuer of the authorization server, so that no other one gets `client_secret`; the one the backend names by default",
  ),
  callback_host: maybe(v.string(), "Host of the callback address; localhost by default"),
  callback_port: maybe(port, "Port of the callback address; a free one by default"),
  callback_path: maybe(
    v.pipe(v.string(), v.startsWith("/")),
    "Path of the callback address; /oauth/callback by default",
  ),
  token_refresh_buffer_secs: setting(nonNegativeInteger, 300, "Seconds before its end at which a token is renewed"),
  shared_account: setting(v.boolean(), false, "All clients of the gateway use one account"),
});
export type OAuthSettings = v.InferOutput<typeof oauthSchema>;

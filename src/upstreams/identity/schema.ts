import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";

/** The only section whose unknown keys are errors: a misspelt rule about identities must not be no rule. */
export const identityPropagationSchema = v.strictObject({
  strategy: v.pipe(
    v.picklist(["signed_assertion", "passthrough", "token_exchange", "vault"]),
    v.description(
      "What the backend gets as `Authorization`: `signed_assertion` a JWT of the gateway that names the caller, `token_exchange` a token that the caller's own is exchanged for (RFC 8693), `passthrough` what the client sends as `X-MCP-Passthrough-Authorization` to `/mcp/{backend}`; `vault` is not available",
    ),
  ),
  audience: maybe(v.string(), "Audience of the token the backend gets; the address of the backend by default"),
  required: setting(v.boolean(), false, "Refuse calls of callers of whom there is nothing to tell"),
  session_mode: setting(
    v.picklist(["stateless", "per_user"]),
    "stateless",
    "One session with the server for all callers, or one for each of them, ended after five minutes without calls",
  ),
  token_exchange_endpoint: maybe(
    v.string(),
    "Where tokens are exchanged; a user and password in it are the gateway's client credentials",
  ),
  token_exchange_scope: maybe(v.string(), "Scope to ask for in the exchange"),
});
export type IdentityPropagation = v.InferOutput<typeof identityPropagationSchema>;

import * as v from "valibot";
import { duration, globs, maybe, nonNegativeInteger, port, positiveInteger, secret, setting } from "../core/kinds.ts";

export const serverSchema = v.object({
  host: setting(v.string(), "127.0.0.1", "Address to listen on"),
  port: setting(port, 39400, "Port to listen on; 0 picks a free one"),
  ws_port: maybe(port, "Extra port for WebSocket clients alone; 0 picks a free one"),
  metrics_port: maybe(port, "Extra port for `/metrics` alone, which needs no token there"),
  request_timeout: setting(duration, "300s", "Longest time one request may take, retries and queueing included"),
  shutdown_timeout: setting(duration, "30s", "Time running calls get to finish when the gateway stops"),
  max_body_size: setting(
    positiveInteger,
    10_485_760,
    "Largest request body, or message over WebSocket (there never more than 64 MiB), in bytes",
  ),
  public_url: maybe(v.string(), "Address clients see, where it differs from host and port"),
  allowed_hosts: setting(
    v.array(v.string()),
    [],
    "Host names accepted besides localhost, the listen address and public_url",
  ),
  allowed_origins: setting(v.array(v.string()), [], "Browser origins accepted besides the gateway's own"),
});
export type ServerSettings = v.InferOutput<typeof serverSchema>;

export const apiKeySchema = v.object({
  key: secret,
  name: setting(v.string(), "", "Name in logs and statistics"),
  rate_limit: setting(nonNegativeInteger, 0, "Requests per minute; 0 means no limit"),
  backends: setting(v.array(v.string()), [], "Backends the key may use; empty or `*` means all"),
  allowed_tools: maybe(globs, "Tools the key may call, as globs on `tool` or `server:tool`"),
  denied_tools: maybe(globs, "Tools the key may not call, whatever is allowed"),
  admin: setting(v.boolean(), false, "May use operator tools and see every detail"),
  profile: maybe(v.string(), "Routing profile of the key's sessions; only an admin can choose another one"),
});

const userSchema = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.description("Name the client logs in with")),
  password: secret,
  rate_limit: setting(nonNegativeInteger, 0, "Requests per minute; 0 means no limit"),
  backends: setting(v.array(v.string()), [], "Backends the user may use; empty or `*` means all"),
  allowed_tools: maybe(globs, "Tools the user may call, as globs on `tool` or `server:tool`"),
  denied_tools: maybe(globs, "Tools the user may not call, whatever is allowed"),
  admin: setting(v.boolean(), false, "May use operator tools and see every detail"),
  profile: maybe(v.string(), "Routing profile of the user's sessions; only an admin can choose another one"),
});

const claimRuleSchema = v.object({
  claim: maybe(
    v.string(),
    "Claim to look at, as `groups` or `realm_access.roles`; absent, the rule is for every token",
  ),
  value: setting(v.string(), "*", "What the claim, or one of its values, must be, as a glob"),
  backends: setting(
    v.array(v.string()),
    [],
    "Backends these callers may use, as globs; none by default, `*` means all",
  ),
  allowed_tools: maybe(globs, "Tools they may call, as globs on `tool` or `server:tool`"),
  denied_tools: maybe(globs, "Tools they may not call, whatever is allowed"),
  rate_limit: setting(nonNegativeInteger, 0, "Requests per minute of one caller; 0 means no limit"),
  admin: setting(v.boolean(), false, "May use operator tools and see every detail"),
  profile: maybe(v.string(), "Routing profile of their sessions; only an admin can choose another one"),
});
export type ClaimRule = v.InferOutput<typeof claimRuleSchema>;

const issuerSchema = v.object({
  issuer: v.pipe(v.string(), v.minLength(1), v.description("Issuer, exactly as its tokens name it")),
  audiences: setting(
    v.array(v.string()),
    [],
    "Audiences a token may be made for; by default `server.public_url`, with and without `/mcp`",
  ),
  jwks_uri: maybe(v.string(), "Address of the issuer's keys; by default its OpenID or OAuth metadata is asked"),
  public_key: maybe(v.string(), "The one key its tokens are signed with, in PEM form, instead of `jwks_uri`"),
  secret: maybe(
    secret,
    "Secret of at least 32 bytes it shares with the gateway (HS256, HS384, HS512), instead of `jwks_uri`",
  ),
  required_scopes: setting(v.array(v.string()), [], "Scopes that every token must have"),
  rules: setting(v.array(claimRuleSchema), [], "What tokens may do; the first rule that fits decides, none refuses"),
});
export type IssuerSettings = v.InferOutput<typeof issuerSchema>;

const clientBreakerSchema = v.object({
  enabled: setting(v.boolean(), true, "Refuse a caller whose requests keep failing by its own fault"),
  failure_threshold: setting(positiveInteger, 5, "Consecutive failures after which it is refused"),
  success_threshold: setting(positiveInteger, 3, "Consecutive successes after which all is forgotten"),
  reset_timeout: setting(duration, "30s", "Time it is refused for before it may try again"),
});
export type ClientBreakerSettings = v.InferOutput<typeof clientBreakerSchema>;

export const authSchema = v.object({
  enabled: setting(v.boolean(), false, "Ask every client for a bearer token or an API key"),
  bearer_token: maybe(
    secret,
    "Token with all rights: a literal, `env:VAR`, or `auto` for one made at start and logged",
  ),
  api_keys: setting(v.array(apiKeySchema), [], "Keys with rights of their own"),
  users: setting(v.array(userSchema), [], "Users of HTTP Basic, with rights of their own"),
  issuers: setting(v.array(issuerSchema), [], "Who issues access tokens (JWT) that are accepted"),
  public_paths: setting(
    v.array(v.string()),
    ["/health"],
    "Paths open without a token; each also opens what is below it",
  ),
  client_circuit_breaker: maybe(
    clientBreakerSchema,
    "Refuse a caller for a while whose requests keep failing: `enabled`, `failure_threshold`, `success_threshold` and `reset_timeout` as for backends",
  ),
  single_user: setting(v.boolean(), false, "All keys belong to one person"),
});
export type AuthSettings = v.InferOutput<typeof authSchema>;

export const streamingSchema = v.object({
  enabled: setting(v.boolean(), true, "Offer the GET event stream"),
  buffer_size: setting(
    positiveInteger,
    100,
    "Messages kept for a client that reads slowly; beyond it the stream is closed",
  ),
  keep_alive_interval: setting(
    duration,
    "15s",
    "Time between two keep-alive comments on a quiet stream, or two pings of a WebSocket client",
  ),
  auto_subscribe: setting(
    v.array(v.string()),
    [],
    "Backends whose updates of resources every session is told of that may use them, without subscribing",
  ),
  session_ttl: setting(duration, "1800s", "Time after which an unused session is forgotten"),
  session_reaper_interval: setting(duration, "60s", "Time between two looks for unused sessions"),
});

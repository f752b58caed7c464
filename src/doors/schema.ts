import * as v from "valibot";
import { duration, globs, maybe, nonNegativeInteger, port, positiveInteger, secret, setting } from "../core/kinds.ts";
import { breakerSchema } from "../stages/breaker/schema.ts";

export const serverSchema = v.object({
  host: setting(v.string(), "127.0.0.1", "Address to listen on"),
  port: setting(port, 39400, "Port to listen on; 0 picks a free one"),
  ws_port: maybe(port, "Extra port for WebSocket clients alone; 0 picks a free one"),
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

export const authSchema = v.object({
  enabled: setting(v.boolean(), false, "Ask every client for a bearer token or an API key"),
  bearer_token: maybe(
    secret,
    "Token with all rights: a literal, `env:VAR`, or `auto` for one made at start and logged",
  ),
  api_keys: setting(v.array(apiKeySchema), [], "Keys with rights of their own"),
  public_paths: setting(
    v.array(v.string()),
    ["/health"],
    "Paths open without a token; each also opens what is below it",
  ),
  client_circuit_breaker: maybe(breakerSchema, "Refuse a client whose requests keep failing"),
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
  auto_subscribe: setting(v.array(v.string()), [], "Backends whose notifications every session gets"),
  session_ttl: setting(duration, "1800s", "Time after which an unused session is forgotten"),
  session_reaper_interval: setting(duration, "60s", "Time between two looks for unused sessions"),
});
export type StreamingSettings = v.InferOutput<typeof streamingSchema>;

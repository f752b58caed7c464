/** One entry of `backends`. The key that is present chooses the transport: `command`, `http_url` or `a2a_url`. */
import * as v from "valibot";
import { duration, maybe, positiveInteger, setting, stringMap } from "../core/kinds.ts";

/** Accepts a shell-like string or an argument list; always a list once parsed. Splitting happens in `config/`, never in a shell. */
const command = v.union([v.string(), v.pipe(v.array(v.string()), v.minLength(1))]);

export const backendSchema = v.object({
  description: setting(v.string(), "", "What the backend is for; shown to the model and searched"),
  enabled: setting(v.boolean(), true, "Off keeps the entry but never starts it"),
  command: maybe(command, "Program of a stdio server, as one line or as a list; it never passes through a shell"),
  args: maybe(v.array(v.string()), "Arguments appended to `command`"),
  cwd: maybe(v.string(), "Working directory of the program"),
  http_url: maybe(
    v.string(),
    "Address of a server: `https://`, `http://`, `wss://`, `ws://`, or `unix:///path` of a socket; what it speaks there is detected",
  ),
  streamable_http: maybe(v.boolean(), "Accepted from older files; the transport is detected"),
  a2a_url: maybe(
    v.string(),
    "Address of an agent that speaks A2A 0.2, 0.3 or 1.0 over JSON-RPC; its skills become tools",
  ),
  a2a_agent_card_path: maybe(
    v.string(),
    "Path of the agent card below `a2a_url`; `/.well-known/agent-card.json` and `/.well-known/agent.json` by default",
  ),
  protocol_version: maybe(v.string(), "Protocol revision to offer first; the newest by default"),
  env: setting(stringMap, {}, "Environment of the program, besides PATH, HOME, TMPDIR and LANG"),
  headers: setting(stringMap, {}, "Headers sent with every HTTP request and WebSocket handshake to the backend"),
  timeout: setting(duration, "30s", "Time one attempt has to answer"),
  start_timeout: setting(duration, "60s", "Time the backend has to start and answer `initialize`"),
  stop_when_idle_for: maybe(duration, "Stop the program after this time without calls; the next call starts it again"),
  idle_timeout: maybe(duration, "Older name of `stop_when_idle_for`"),
  max_result_size: setting(positiveInteger, 16_777_216, "Largest answer in bytes; a larger one is an error"),
  failsafe: maybe(v.looseObject({}), "Overrides of the `failsafe` section for this backend, key by key"),
  oauth: maybe(v.looseObject({}), "OAuth login to the backend"),
  transform: maybe(v.looseObject({}), "How its tools look from outside"),
  secrets: maybe(v.array(v.looseObject({})), "Secrets to inject into calls"),
  passthrough: setting(v.boolean(), false, "Skip tool policy and sanitising for this backend"),
  runtime_profile: maybe(v.string(), "Profile of the `runtime` section that the program runs under"),
  identity_propagation: maybe(v.looseObject({}), "How the caller's identity reaches the backend"),
});

/** Rules that look at more than one setting at a time. */

import { nearest, suggestion } from "../lib/did-you-mean.ts";
import { metaToolNames } from "../meta/meta-tool-names.ts";
import { looksSecret } from "./backend-secrets.ts";
import type { Findings } from "./backends.ts";
import { isLoopback } from "./needs-rules.ts";
import type { Path } from "./path.ts";
import { listed, type Problem } from "./problem.ts";
import type { ParsedBackend, ParsedConfig } from "./schema.ts";

const transports = ["command", "http_url", "a2a_url", "replicas"] as const;
type Transport = (typeof transports)[number];
/** What `scan` of a firewall rule may name; see stages/firewall/rules.ts. */
const scanWords = /shell|command|sql|path|traversal|memory|prompt|credential|secret/i;

/** `unknown` are the keys that no schema has. */
export function checkRules(config: ParsedConfig, unknown: readonly Problem[], found: Findings): void {
  for (const [name, backend] of Object.entries(config.backends)) {
    const path: Path = ["backends", name];
    checkName(name, path, config, found);
    checkTransport(backend, transports, path, keysOf(path, unknown), found);
    checkBackend(backend, path, config, found);
    checkReplicas(backend, path, unknown, found);
  }
  checkReferences(config, found);
  checkProfiles(config, found);
  checkOperatorTools(config, found);
  checkFirewall(config, found);
  checkSigning(config, found);
  checkWebhooks(config, found);
  const { auth, server } = config;
  if (!auth.enabled && !isLoopback(server.host))
    found.warnings.push({
      path: ["server", "host"],
      text: 'lets other machines in while "auth" is not enabled: whoever reaches the port may call every tool',
    });
  const { api_keys, users, issuers } = auth;
  const takesOthers = config.key_server?.enabled === true || config.agent_auth?.enabled === true;
  const hasNobody = auth.bearer_token === undefined && [api_keys, users, issuers].every(({ length }) => length === 0);
  if (auth.enabled && hasNobody && !takesOthers)
    found.warnings.push({
      path: ["auth"],
      text: 'is enabled without "bearer_token", "api_keys", "users" or "issuers": no client can get in',
    });
  if (server.ws_port !== undefined && server.ws_port !== 0 && server.ws_port === server.port)
    found.problems.push({
      path: ["server", "ws_port"],
      text: 'is the port of "server.port", where WebSocket clients are served anyway: remove it, or choose another',
    });
  if (config.server.public_url !== undefined && !isAddress(config.server.public_url))
    found.problems.push({ path: ["server", "public_url"], text: notAnAddress(config.server.public_url) });
}

function checkName(name: string, path: Path, config: ParsedConfig, found: Findings): void {
  if (name === "" || /[/\\:]/.test(name))
    found.problems.push({ path, text: 'needs a name that is not empty and has no "/", "\\" or ":"' });
  if (config.capabilities.enabled && name === config.capabilities.name)
    found.problems.push({
      path,
      text: 'has the name of the capability backend: rename it, or set "capabilities.name"',
    });
}

function keysOf(entry: Path, unknown: readonly Problem[]): string[] {
  const own = unknown.filter(
    ({ path }) => path.length === entry.length + 1 && entry.every((step, at) => path[at] === step),
  );
  return own.map(({ path }) => String(path.at(-1)));
}

function checkTransport(
  backend: Partial<Pick<ParsedBackend, Transport>>,
  transports: readonly Transport[],
  path: Path,
  unknown: readonly string[],
  found: Findings,
): void {
  const present = transports.filter((transport) => backend[transport] !== undefined);
  if (present.length > 1)
    found.problems.push({
      path,
      text: `has ${listed(present.map(quoted)).replace(" or ", " and ")}: keep one of them`,
    });
  if (present.length === 0) {
    const meant = unknown
      .map((key) => ({ key, transport: nearest(key, [...transports, "url"]) }))
      .find(({ transport }) => transport !== undefined);
    const text = `needs one of ${listed(transports.map(quoted))}`;
    if (meant === undefined) found.problems.push({ path, text });
    else {
      const hint = `${text}: did you mean "${meant.transport}" for "${meant.key}"?`;
      found.problems.push({ path, text: hint, at: [...path, meant.key] });
    }
  }
  for (const transport of ["http_url", "a2a_url"] as const) {
    const address = backend[transport];
    if (address === undefined || isAddress(address) || (transport === "http_url" && isSocketAddress(address))) continue;
    const text = /^unix:/i.test(address)
      ? 'must name the full path of a Unix socket, as "unix:///run/server.sock"'
      : notAnAddress(address, transport === "http_url" ? "http://, https://, ws://, wss:// or unix:///" : undefined);
    found.problems.push({ path: [...path, transport], text });
  }
}

function checkBackend(backend: ParsedBackend, path: Path, config: ParsedConfig, found: Findings): void {
  const isStdio = backend.command !== undefined;
  const isHttp = backend.http_url !== undefined;
  const onlyFor = (key: string, ok: boolean, kind: string) => {
    if (!ok) found.problems.push({ path: [...path, key], text: `works only with ${kind}` });
  };
  const { replicas = [] } = backend;
  const hasProgram = isStdio || replicas.some(({ command }) => command !== undefined);
  if (backend.stop_when_idle_for !== undefined) onlyFor("stop_when_idle_for", hasProgram, '"command"');
  if (backend.args !== undefined && (isHttp || backend.a2a_url !== undefined || replicas.length > 0))
    onlyFor("args", isStdio, '"command"');
  if (backend.load_balancing !== undefined) onlyFor("load_balancing", backend.replicas !== undefined, '"replicas"');
  const hasAgent = [backend, ...replicas].some(({ a2a_url }) => a2a_url !== undefined);
  if (backend.a2a_agent_card_path !== undefined) onlyFor("a2a_agent_card_path", hasAgent, '"a2a_url"');
  const { grant_type: grant, client_id: id, client_secret: secret } = backend.oauth ?? {};
  if (grant === "client_credentials" && (id === undefined || secret === undefined)) {
    const text = 'needs "client_id" and "client_secret" beside it: no person logs in';
    found.problems.push({ path: [...path, "oauth", "grant_type"], text });
  }
  const profile = backend.runtime_profile;
  if (profile !== undefined) {
    onlyFor("runtime_profile", hasProgram, '"command"');
    const profiles = Object.keys(config.runtime?.profiles ?? {});
    if (!profiles.includes(profile)) {
      const text = `names the profile "${profile}", which "runtime.profiles" does not have`;
      found.problems.push({ path: [...path, "runtime_profile"], text: text + suggestion(profile, profiles) });
    }
  }
}

function checkReplicas(
  { replicas = [] }: ParsedBackend,
  path: Path,
  unknown: readonly Problem[],
  found: Findings,
): void {
  for (const [at, replica] of replicas.entries()) {
    const own = [...path, "replicas", at];
    checkTransport(replica, ["command", "http_url", "a2a_url"], own, keysOf(own, unknown), found);
    if (replica.args !== undefined && replica.command === undefined)
      found.problems.push({ path: [...own, "args"], text: 'works only with "command"' });
    const same = replicas.findIndex(({ id }) => id !== undefined && id === replica.id);
    if (same >= 0 && same < at)
      found.problems.push({ path: [...own, "id"], text: `is the name of another replica: "${replica.id}"` });
  }
}

/** Names of backends elsewhere in the file. They may appear with a later edit, so a wrong one is a warning. */
function checkReferences(config: ParsedConfig, found: Findings): void {
  const { enabled, name } = config.capabilities;
  const known = [...Object.keys(config.backends), ...(enabled ? [name, "gateway", "fulcrum", "capabilities"] : [])];
  const check = (backend: string, path: Path) => {
    if (known.includes(backend)) return;
    found.warnings.push({ path, text: `names no backend: "${backend}" is not there${suggestion(backend, known)}` });
  };
  for (const [at, backend] of config.meta_mcp.warm_start.entries()) check(backend, ["meta_mcp", "warm_start", at]);
  for (const [at, backend] of config.streaming.auto_subscribe.entries())
    check(backend, ["streaming", "auto_subscribe", at]);
  for (const [at, { server }] of config.meta_mcp.surfaced_tools.entries())
    check(server, ["meta_mcp", "surfaced_tools", at, "server"]);
}

function checkProfiles(
  { auth, routing_profiles, default_routing_profile: fallback }: ParsedConfig,
  found: Findings,
): void {
  const names = Object.keys(routing_profiles);
  // The name it has by default need not be defined: it then leaves everything.
  if (fallback !== "default" && !names.includes(fallback)) {
    const text = `names "${fallback}", which "routing_profiles" does not have${suggestion(fallback, names)}`;
    found.problems.push({ path: ["default_routing_profile"], text });
  }
  const known = [...names, fallback];
  const check = (profile: string | undefined, whose: string, ...path: Path) => {
    if (profile === undefined || known.includes(profile)) return;
    const text = `names no routing profile, so ${whose} sees nothing: "${profile}" is not there`;
    found.warnings.push({ path: ["auth", ...path, "profile"], text: text + suggestion(profile, known) });
  };
  for (const [at, { profile }] of auth.api_keys.entries()) check(profile, "the key", "api_keys", at);
  for (const [at, { profile }] of auth.users.entries()) check(profile, "the user", "users", at);
  for (const [at, { rules }] of auth.issuers.entries()) {
    for (const [of, { profile }] of rules.entries()) check(profile, "the caller", "issuers", at, "rules", of);
  }
}

function checkOperatorTools({ meta_mcp: { operator_tools: listed } }: ParsedConfig, found: Findings): void {
  if (!Array.isArray(listed)) return;
  const known = [...metaToolNames];
  for (const [at, name] of listed.entries()) {
    if (metaToolNames.has(name) || metaToolNames.has(`gateway_${name}`)) continue;
    const text = `names no operator tool: "${name}" is not there${suggestion(name, known)}`;
    found.warnings.push({ path: ["meta_mcp", "operator_tools", at], text });
  }
}

function checkFirewall({ security }: ParsedConfig, found: Findings): void {
  for (const [at, { scan }] of security.firewall.rules.entries())
    for (const [position, word] of scan.entries())
      if (!scanWords.test(word)) {
        const path: Path = ["security", "firewall", "rules", at, "scan", position];
        found.warnings.push({ path, text: `names nothing that is looked for: "${word}"` });
      }
}

function checkSigning({ security: { message_signing } }: ParsedConfig, found: Findings): void {
  const { enabled, shared_secret, previous_secret } = message_signing;
  const refuse = (key: keyof typeof message_signing, text: string) => {
    found.problems.push({ path: ["security", "message_signing", key], text });
  };
  if (!enabled) return;
  if (shared_secret === "") refuse("shared_secret", 'is missing: name it as "env:VAR"');
  else if (shared_secret === previous_secret) refuse("previous_secret", 'is the same as "shared_secret": remove it');
}

/** First parts of the gateway's own addresses (`doors/http/app.ts`). */
const ownAddresses =
  /^\/(?:mcp|health|readiness|liveness|ui|api|dashboard|metrics|auth|\.well-known|sse|messages)(?:\/|$)/;

function checkWebhooks({ webhooks }: ParsedConfig, found: Findings): void {
  const path: Path = ["webhooks", "base_path"];
  if (!/^(?:\/[\w.~-]+)+\/?$/.test(webhooks.base_path))
    found.problems.push({ path, text: 'must be a path such as "/webhooks"' });
  else if (ownAddresses.test(webhooks.base_path))
    found.problems.push({ path, text: "is an address of the gateway itself: choose another one" });
}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** Of a backend behind a WebSocket or a Unix socket. */
function isSocketAddress(text: string): boolean {
  return /^(?:wss?:\/\/|unix:\/\/\/[^?#]*[^?#/]$)/i.test(text) && URL.canParse(text);
}

export function notAnAddress(text: string, schemes = "http:// or https://"): string {
  const found = looksSecret(text) ? "" : `, not ${JSON.stringify(text)}`;
  return `must be an address that begins with ${schemes}${found}`;
}

export function quoted(text: string): string {
  return `"${text}"`;
}

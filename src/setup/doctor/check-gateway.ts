/** The address of the gateway: free, or a gateway on it that works as a client would need it. */
import type { Config } from "../../config/schema.ts";
import { version } from "../../core/version.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { canConnect, listenProblem } from "../../runtime/port.ts";
import { gatewayUrl, ownRequest } from "../gateway-entry.ts";
import type { Check } from "./check.ts";

const answerMs = 5_000;
const connectMs = 500;
const loopback = /^(localhost|127\.[\d.]+|\[?::1\]?)$/i;

export interface GatewayResult {
  readonly checks: readonly Check[];
  /** What the running gateway says of its backends, by name; empty where none runs or it does not tell us. */
  readonly backends: ReadonlyMap<string, JsonObject>;
}

export async function checkGateway(config: Config): Promise<GatewayResult> {
  const { checks, health } = await checkAddress(config);
  const told = isJsonObject(health?.["backends"]) ? Object.entries(health["backends"]) : [];
  return {
    checks: [...checks, checkAuth(config)],
    backends: new Map(told.flatMap(([name, state]) => (isJsonObject(state) ? [[name, state] as const] : []))),
  };
}

async function checkAddress(config: Config): Promise<{ checks: Check[]; health?: JsonObject }> {
  const only = (check: Check) => ({ checks: [check] });
  const { host, port } = config.server;
  const base = { id: "port", label: `Port ${port}`, category: "port" } as const;
  if (port === 0) return only({ ...base, status: "pass", detail: "a free one is picked at every start" });
  const problem = await listenProblem(host, port);
  if (problem === undefined) return only({ ...base, status: "pass", detail: `free on ${host}` });
  if (problem !== "EADDRINUSE") {
    const hint = problem === "EACCES" ? "Ports below 1024 need rights: set server.port" : 'Correct "server.host"';
    return only({ ...base, status: "fail", detail: `cannot listen on ${host}: ${problem}`, hint });
  }
  const { hostname } = new URL(gatewayUrl(config));
  const answers = await canConnect(hostname.replace(/^\[|\]$/g, ""), port, connectMs);
  const health = answers ? await askHealth(config) : undefined;
  if (health === undefined) {
    const hint = "End that program, or set server.port to another one";
    return only({ ...base, status: "fail", detail: "taken by a program that is no MCP Gateway", hint });
  }
  const inUse: Check = { ...base, status: "pass", detail: `a gateway listens on ${gatewayUrl(config)}` };
  return { checks: [inUse, ...checkRuntime(health), ...(await checkHandshake(config))], health };
}

/** The body of `/health` when it is that of a gateway. */
async function askHealth(config: Config): Promise<JsonObject | undefined> {
  try {
    const response = await fetch(`${gatewayUrl(config)}/health`, httpRequest(config));
    const body: unknown = await response.json();
    return isJsonObject(body) && typeof body["status"] === "string" && typeof body["version"] === "string"
      ? body
      : undefined;
  } catch {
    return undefined;
  }
}

function checkRuntime({ status, version: running, degraded, config_error: refused }: JsonObject): Check[] {
  const base = { id: "runtime", label: "Gateway runtime", category: "runtime" } as const;
  const detail = `version ${String(running)}, ${String(status)}`;
  const checks: Check[] = [];
  if (running !== version) {
    const hint = "Restart it, so that it is the version installed";
    checks.push({ ...base, status: "warn", detail: `${detail}; this program is ${version}`, hint });
  } else if (status === "healthy") checks.push({ ...base, status: "pass", detail });
  else checks.push({ ...base, status: "warn", detail, hint: "mcp-gateway health says which backend is ill" });
  const config = { id: "runtime.config", label: "Configuration in force", category: "runtime" } as const;
  if (typeof refused === "string")
    checks.push({ ...config, status: "fail", detail: `an older one, because the file was refused:\n${refused}` });
  const faults = Array.isArray(degraded) ? degraded.filter((fault) => fault !== refused) : [];
  const state = { id: "runtime.state", label: "State of the gateway", category: "runtime" } as const;
  if (faults.length > 0) checks.push({ ...state, status: "warn", detail: faults.map(String).join("\n") });
  return checks;
}

async function checkHandshake(config: Config): Promise<Check[]> {
  const base = { id: "mcp_handshake", label: "MCP handshake", category: "mcp_handshake" } as const;
  const list = { id: "tool_list", label: "Tool list", category: "tool_list" } as const;
  if (config.auth.enabled && tokenOf(config) === undefined) {
    const detail = "not tried: its token was made at its start";
    return [{ ...base, status: "warn", detail, hint: "Give auth.bearer_token a value, or env:VAR" }];
  }
  const url = `${gatewayUrl(config)}/mcp`;
  const post = (message: object, session?: string) =>
    fetch(url, httpRequest(config, { jsonrpc: "2.0", ...message }, session));
  let session: string | undefined;
  try {
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "mcp-gateway-doctor", version },
    };
    const opened = await post({ id: 1, method: "initialize", params });
    session = opened.headers.get("mcp-session-id") ?? undefined;
    const result = await resultOf(opened);
    if (opened.status === 401)
      return [{ ...base, status: "fail", detail: "the gateway refuses our token", hint: tokenHint }];
    if (result === undefined || session === undefined)
      return [{ ...base, status: "fail", detail: `initialize was answered with status ${opened.status}` }];
    await post({ method: "notifications/initialized" }, session);
    const answer = await resultOf(await post({ id: 2, method: "tools/list", params: {} }, session));
    const tools = answer?.["tools"];
    const checks: Check[] = [{ ...base, status: "pass", detail: `speaks ${String(result["protocolVersion"])}` }];
    return Array.isArray(tools) && tools.length > 0
      ? [...checks, { ...list, status: "pass", detail: `${tools.length} tool(s)` }]
      : [...checks, { ...list, status: "fail", detail: "tools/list gives no tools" }];
  } catch (error) {
    return [{ ...base, status: "fail", detail: error instanceof Error ? error.message : String(error) }];
  } finally {
    if (session !== undefined)
      await fetch(url, { ...httpRequest(config, undefined, session), method: "DELETE" }).catch(() => {});
  }
}

const tokenHint = "Restart it if auth was changed, or look at auth in the configuration";

async function resultOf(response: Response): Promise<JsonObject | undefined> {
  const text = await response.text();
  const body: unknown = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? (text || "null"));
  const result = isJsonObject(body) ? body["result"] : undefined;
  return isJsonObject(result) ? result : undefined;
}

function tokenOf({ auth }: Config): string | undefined {
  const { bearer_token: token, api_keys: keys } = auth;
  return token === undefined || token === "auto" ? keys[0]?.key : token;
}

function httpRequest(config: Config, body?: object, session?: string): RequestInit {
  const token = config.auth.enabled ? tokenOf(config) : undefined;
  return {
    ...ownRequest(config),
    signal: AbortSignal.timeout(answerMs),
    redirect: "error",
    headers: {
      accept: "application/json, text/event-stream",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(session !== undefined && { "mcp-session-id": session }),
    },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  };
}

function checkAuth({ auth, server }: Config): Check {
  const base = { id: "auth", label: "Access", category: "auth" } as const;
  if (!auth.enabled) {
    if (loopback.test(server.host))
      return { ...base, status: "pass", detail: "only programs on this machine get in, without a token" };
    const detail = `whoever reaches ${server.host}:${server.port} may call every tool`;
    return { ...base, status: "warn", detail, hint: "Set auth.enabled and auth.bearer_token" };
  }
  const { api_keys, users, issuers } = auth;
  const tokens = api_keys.length + (auth.bearer_token === undefined ? 0 : 1);
  if (tokens + users.length + issuers.length === 0)
    return { ...base, status: "fail", detail: "auth is enabled and nobody has a token", hint: "Set auth.bearer_token" };
  const counts = [[tokens, "token"] as const, [users.length, "user"] as const, [issuers.length, "issuer"] as const];
  const known = counts.filter(([count, what]) => count > 0 || what === "token");
  return { ...base, status: "pass", detail: known.map(([count, what]) => `${count} ${what}(s)`).join(", ") };
}

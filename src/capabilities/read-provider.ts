/** One entry of `providers` → {@link Provider}, whatever its service. */
import { nearest } from "../lib/did-you-mean.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Action, HttpAction, Provider } from "./capability.ts";
import {
  bodyTemplate,
  checkAddress,
  checkCommand,
  checkKey,
  checkPagination,
  checkPlaceholders,
  checkTarget,
} from "./checks.ts";
import {
  type AuthSettings,
  authSchema,
  cliSchema,
  graphqlSchema,
  type HttpSettings,
  jsonrpcSchema,
  mcpSchema,
  providerSchema,
  restSchema,
  serviceSchemas,
} from "./definition-schema.ts";
import { type FileReport, type KeyPath, quote } from "./file-report.ts";
import type { CapabilityFile } from "./load.ts";
import { isEnv, isKeychain, placeholdersIn } from "./template.ts";

export interface ProviderContext {
  /** `auth` of the file. */
  readonly auth: AuthSettings;
  /** Origin of the primary provider, which `auth` belongs to; `undefined` for that provider itself. */
  readonly origin: string | undefined;
  readonly declared: ReadonlySet<string> | undefined;
  /** As in {@link CapabilityFile}. */
  readonly hasServer: CapabilityFile["hasServer"];
  readonly report: FileReport;
}

export type Service = keyof typeof serviceSchemas;

/** `undefined` for a service that is not there, or a provider that is wrong; the report says which. */
export function readProvider(value: unknown, at: KeyPath, context: ProviderContext): Provider | undefined {
  const { report } = context;
  // A part that is wrong does not keep the others from being checked.
  const provider = report.parse(providerSchema, value, at) ?? outlineOf(value);
  if (provider === undefined) return undefined;
  const { service } = provider;
  report.unknownKeys(providerSchema, value, at);
  if (!isService(service)) {
    const what = `service "${service}"${meant(service)}`;
    if (context.origin === undefined) report.skip([...at, "service"], what);
    else report.warning([...at, "service"], `${what} is not active yet: this provider is left out`);
    return undefined;
  }
  const atConfig = [...at, "config"];
  report.unknownKeys(serviceSchemas[service], provider.config, atConfig);
  const action = readAction(service, provider.config, atConfig, context);
  if (action === undefined) return undefined;
  const own = provider.auth;
  if (own !== undefined)
    report.unknownKeys(authSchema, isJsonObject(value) ? value["auth"] : undefined, [...at, "auth"]);
  const auth = own ?? (belongsTo(action, context.origin) ? context.auth : noAuth);
  if (own !== undefined) checkKey(own, [...at, "auth"], report);
  if ("http" in action) checkAddress(action.http, auth, atConfig, report);
  const names = placeholdersIn(JSON.stringify(action));
  const defaultMs = action.service === "mcp" ? undefined : defaultTimeoutMs;
  return {
    name: at.slice(1).join("."),
    action,
    auth,
    timeoutMs: provider.timeout === undefined ? defaultMs : provider.timeout * 1_000,
    maxAttempts: provider.max_attempts,
    variables: names.filter(isEnv).map((name) => name.slice("env.".length)),
    keychainNames: [...new Set(names.filter(isKeychain).map((name) => name.slice("keychain.".length)))],
  };
}

const defaultTimeoutMs = 30_000;

function outlineOf(value: unknown) {
  if (!isJsonObject(value)) return undefined;
  const { service = "rest", config = {} } = value;
  if (typeof service !== "string" || !isJsonObject(config)) return undefined;
  return { service, config, auth: undefined, timeout: undefined, max_attempts: 1 };
}

/** Scheme, host and port as the file writes them; `undefined` for a program or a tool. */
export function originOf({ action }: Pick<Provider, "action">): string | undefined {
  if (!("http" in action)) return undefined;
  return /^[^/]*\/\/[^/?#]*/.exec(action.http.endpoint ?? action.http.base_url)?.[0].toLowerCase();
}

function belongsTo(action: Action, origin: string | undefined): boolean {
  return origin === undefined || originOf({ action }) === origin;
}

const noAuth: AuthSettings = {
  required: false,
  type: "none",
  key: "",
  header: "Authorization",
  prefix: undefined,
  param: undefined,
  description: "",
  scopes: [],
  token_endpoint: undefined,
  client_id: undefined,
  client_secret: undefined,
};

function isService(service: string): service is Service {
  return Object.hasOwn(serviceSchemas, service);
}

function meant(service: string): string {
  const found = nearest(service, Object.keys(serviceSchemas));
  return found === undefined ? "" : ` (did you mean "${found}"?)`;
}

function readAction(
  service: Service,
  config: JsonObject,
  at: KeyPath,
  { declared, hasServer, report }: ProviderContext,
): Action | undefined {
  switch (service) {
    case "rest": {
      const http = report.parse(restSchema, config, at);
      if (http === undefined) return undefined;
      checkPlaceholders(http, declared, at, report);
      checkPagination(http, at, report);
      return restAction({ ...http, body: bodyTemplate(http, at, report) ?? undefined });
    }
    case "graphql": {
      const graphql = report.parse(graphqlSchema, config, at);
      if (graphql === undefined) return undefined;
      const { body, query: own, ...address } = graphql;
      const query = own ?? (typeof body === "string" ? body : body?.query);
      const variables = typeof body === "object" ? body.variables : undefined;
      if (query === undefined) report.problem(at, `${quote([...at, "query"])} is missing`);
      const http: HttpSettings = { ...httpDefaults, ...address, body: variables && { variables } };
      checkPlaceholders(http, declared, at, report);
      return { service, http, query: query ?? "" };
    }
    case "jsonrpc": {
      const jsonrpc = report.parse(jsonrpcSchema, config, at);
      if (jsonrpc === undefined) return undefined;
      const { method, params, ...address } = jsonrpc;
      const http: HttpSettings = { ...httpDefaults, ...address };
      checkPlaceholders(http, declared, at, report);
      return { service, http, rpcMethod: method, rpcParams: params };
    }
    case "cli": {
      const cli = report.parse(cliSchema, config, at);
      if (cli === undefined) return undefined;
      checkPlaceholders(cli, declared, at, report);
      checkCommand(cli, at, report);
      return { service, cli };
    }
    case "mcp": {
      const mcp = report.parse(mcpSchema, config, at);
      if (mcp === undefined) return undefined;
      checkTarget(mcp, { declared, hasServer }, at, report);
      return { service, mcp };
    }
  }
}

const httpDefaults = {
  path_selector: undefined,
  method: "POST",
  params: {},
  param_map: {},
  body: undefined,
  body_content_type: undefined,
  pagination: undefined,
} as const;

/** GraphQL is often written as plain REST. A document with variables must not be a template itself, it is full of braces. */
function restAction(http: HttpSettings): HttpAction {
  const { body } = http;
  if (!isJsonObject(body) || typeof body["query"] !== "string" || !isJsonObject(body["variables"]))
    return { service: "rest", http };
  const { query, ...rest } = body as { query: string } & Record<string, Json>;
  return { service: "rest", http: { ...http, body: rest }, query };
}

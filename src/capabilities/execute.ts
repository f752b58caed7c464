/**
 * Runs a capability: its primary provider, and those that stand in for it when that harms nobody. A request that may
 * have been carried out is sent again, here or elsewhere, only if the capability says that it changes nothing.
 */
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import { sleep } from "../lib/sleep.ts";
import { type AuthContext, type Credential, credentialOf } from "./auth.ts";
import type { Capability, CliAction, HttpAction, Provider } from "./capability.ts";
import { exchange, type HttpAnswer } from "./exchange.ts";
import { collectPages, type Page, withParameter } from "./pagination.ts";
import { Refusal } from "./refusal.ts";
import { buildRequest, type HttpRequest } from "./request.ts";
import { binaryResult, jsonResult, type Reading, readAnswer } from "./response.ts";
import { assertNoRpcError } from "./rpc-errors.ts";
import type { Origin } from "./run-tool.ts";
import { withinTime } from "./running-calls.ts";
import { SecretScrubber } from "./secret-scrubber.ts";
import type { Scope } from "./template.ts";

const safeMethods: readonly string[] = ["GET", "HEAD", "OPTIONS"];
const firstBackoffMs = 100;
/** What asks for a longer pause is told to the caller instead. */
const longestWaitMs = 5_000;

export interface ExecuteContext extends Omit<AuthContext, "signal"> {
  readonly clock: Clock;
  readonly origin: Origin;
}

/**
 * A `CallToolResult`.
 * @param args checked against `capability.input`
 * @throws Refusal when nobody was asked or gave a usable answer, or the signal's reason
 */
export async function execute(
  capability: Capability,
  args: JsonObject,
  context: ExecuteContext,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { providers, isReadOnly } = capability;
  const failures: string[] = [];
  for (const [at, provider] of providers.entries()) {
    try {
      const work = (ended: AbortSignal) => runProvider(capability, provider, args, { ...context, signal: ended });
      const { timeoutMs } = provider;
      const result = await (timeoutMs === undefined
        ? work(signal)
        : withinTime(work, timeoutMs, signal, context.clock));
      return at === 0 ? result : withMeta(result, { "mcp-gateway/provider": provider.name });
    } catch (error) {
      if (signal.aborted || !(error instanceof Refusal)) throw error;
      const mayGoOn =
        error.outcome === "unsent" || error.isKeyRejected || (isReadOnly && error.outcome === "unanswered");
      if (at + 1 < providers.length && mayGoOn) {
        failures.push(`${provider.name}: ${error.message}`);
        continue;
      }
      if (failures.length === 0) throw error;
      throw new Refusal(error.message, [error.detail, "Before it failed:", ...failures].filter(Boolean).join("\n"));
    }
  }
  throw new Refusal(`"${capability.name}" has no provider`);
}

async function runProvider(
  capability: Capability,
  provider: Provider,
  args: JsonObject,
  context: ExecuteContext & AuthContext,
): Promise<JsonObject> {
  const keychain = await readKeychainNames(provider, context);
  const scope: Scope = { args, declared: capability.declared, env: context.env, keychain };
  const { action } = provider;
  const variables = provider.variables.map((name) => context.env[name]);
  const keys = Object.values(keychain).filter((key) => key !== undefined);
  if ("http" in action) return runHttp(capability, provider, action, scope, { keys, variables }, context);
  const scrubber = new SecretScrubber(keys, variables);
  if (action.service === "cli") return runCommand(capability, action, scope, scrubber, context);
  const { runTool } = await import("./run-tool.ts");
  const reading: Reading = { format: "json", scrub: scrubber.inError, clean: scrubber.inAnswer };
  const { backends, request } = context.origin;
  return runTool(capability, action, scope, reading, { backends, request: { ...request, signal: context.signal } });
}

async function runCommand(
  { name, tool }: Capability,
  { cli }: CliAction,
  scope: Scope,
  scrubber: SecretScrubber,
  { signal }: AuthContext,
): Promise<JsonObject> {
  const reading: Reading = { format: cli.response_format, scrub: scrubber.inError, clean: scrubber.inAnswer };
  const { runCli } = await import("./cli.ts");
  const read = readAnswer(await runCli(cli, scope, reading, signal), reading);
  return "binary" in read ? binaryResult(read.binary, name) : jsonResult(tool, read.json, cli.response_path, reading);
}

async function runHttp(
  capability: Capability,
  provider: Provider,
  action: HttpAction,
  scope: Scope,
  secrets: { readonly keys: readonly string[]; readonly variables: readonly (string | undefined)[] },
  context: ExecuteContext & AuthContext,
): Promise<JsonObject> {
  const { http } = action;
  /** Once with a new token, if the API does not take the one there is. */
  for (let isRenewed = false; ; isRenewed = true) {
    const credential = await credentialOf(provider.auth, context);
    const keys = [...secrets.keys, ...keysIn(credential)];
    const scrubber = new SecretScrubber(keys, secrets.variables);
    const reading: Reading = { format: http.response_format, scrub: scrubber.inError, clean: scrubber.inAnswer };
    const request = buildRequest(action, scope, credential);
    const ask = (each: HttpRequest) => askPatiently(each, capability, provider, reading, context);
    try {
      const first = await ask(request);
      const read = readAnswer(first, reading);
      if ("binary" in read) return binaryResult(read.binary, capability.name);
      assertNoRpcError(action, read.json, reading);
      if (http.pagination === undefined) return jsonResult(capability.tool, read.json, http.response_path, reading);
      const fetchPage = async (url: string): Promise<Page> =>
        pageOf(await ask({ ...request, url: signed(url, credential) }), reading);
      const page = { answer: read.json, link: first.link, url: first.url };
      const { answer, count, isCut } = await collectPages(http.pagination, page, request.url, fetchPage);
      const result = jsonResult(capability.tool, answer, http.response_path, reading);
      return withMeta(isCut ? withNote(result, count) : result, { "mcp-gateway/pages": count });
    } catch (error) {
      const isOld = error instanceof Refusal && error.isKeyRejected && credential?.isToken === true && !isRenewed;
      if (!isOld) throw error;
      context.tokens.reject(credential.secret);
    }
  }
}

function withMeta(result: JsonObject, meta: JsonObject): JsonObject {
  return { ...result, _meta: { ...(result["_meta"] as JsonObject | undefined), ...meta } };
}

/** A model that takes a part for the whole draws wrong conclusions. */
function withNote(result: JsonObject, pages: number): JsonObject {
  const text = `This is not the whole list: it goes on after these ${pages} pages. Narrow the arguments to see the rest`;
  return { ...result, content: [...(result["content"] as JsonObject[]), { type: "text", text }] };
}

function pageOf(answer: HttpAnswer, reading: Reading): Page {
  const read = readAnswer(answer, reading);
  return { answer: "json" in read ? read.json : null, link: answer.link, url: answer.url };
}

/** The address an API gave for its next page does not always repeat the key. */
function signed(url: string, credential: Credential | undefined): string {
  return credential?.in === "query" ? withParameter(url, credential.name, credential.value) : url;
}

function keysIn(credential: Credential | undefined): string[] {
  return credential === undefined ? [] : [credential.secret, credential.value.split(" ").at(-1) ?? ""];
}

/** Again after a pause while that may help and repeats nothing. */
async function askPatiently(
  request: HttpRequest,
  { isReadOnly }: Capability,
  { maxAttempts }: Provider,
  { scrub }: Reading,
  { checkTarget, signal, clock }: ExecuteContext & AuthContext,
): Promise<HttpAnswer> {
  const isSafe = isReadOnly || safeMethods.includes(request.method);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await exchange(request, checkTarget, scrub, signal);
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isTransient || attempt >= maxAttempts) throw error;
      if (error.outcome !== "unsent" && !isSafe) throw error;
      const waitMs = error.waitMs ?? firstBackoffMs * 2 ** (attempt - 1);
      if (waitMs > longestWaitMs) throw error;
      await sleep(waitMs, signal, clock);
    }
  }
}

async function readKeychainNames(
  { keychainNames }: Provider,
  { env, signal }: AuthContext,
): Promise<Record<string, string | undefined>> {
  const values: Record<string, string | undefined> = {};
  if (keychainNames.length === 0) return values;
  const { readKeychain } = await import("./keychain.ts");
  for (const name of keychainNames) values[name] = await readKeychain(name, env, signal);
  return values;
}

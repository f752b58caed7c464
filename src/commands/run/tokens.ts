/**
 * Puts the configured gateway together without a door, asks every backend for its tools, and counts. Lists that are on
 * disk are believed; a backend that was never asked is started for it and stopped again.
 */
import { loadConfig } from "../../config/load.ts";
import { anonymousCaller } from "../../core/caller.ts";
import { silentLogger } from "../../core/log.ts";
import { type TokenAccount, tokenAccount } from "../../doors/http/manage/token-account.ts";
import { createGateway, type RunningGateway } from "../../gateway/create-gateway.ts";
import { knownSecrets } from "../../gateway/known-secrets.ts";
import { neverCancelled } from "../../lib/cancellation.ts";
import { systemClock } from "../../lib/clock.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { estimateTokens } from "../../lib/estimate-tokens.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { columns } from "./columns.ts";

/** Searches that stand for what models will ask: enough for a mean, few enough not to keep anybody waiting. */
const sampleSearches = 12;

interface Report extends TokenAccount {
  readonly failures: readonly { readonly server: string; readonly reason: string }[];
  /** Mean of what one search puts into the context; `undefined` without any tool. */
  readonly search: number | undefined;
}

export async function run(input: CommandInput): Promise<number> {
  const env = environment();
  const { overrides, config: path, dataDir } = input.global;
  const loaded = await loadConfig({ path, overrides, env, cwd: workingDirectory() });
  const redactor = new Redactor(knownSecrets(loaded.config, loaded.env));
  const { redact } = redactor;
  const gateway = createGateway({
    // Compared with listing every tool, so the meta-tools are what is counted whatever the file says; and it is none of
    // the gateways that share their state.
    config: { ...loaded.config, meta_mcp: { ...loaded.config.meta_mcp, enabled: true }, shared_state: undefined },
    log: silentLogger,
    clock: systemClock,
    stateDirectory: dataDirectory(dataDir, env),
    env: loaded.env,
    redact,
    learnSecret: (value) => redactor.add([value]),
  });
  try {
    const report = await measure(gateway, redact);
    if (input.flag("json")) await writeStdout(`${JSON.stringify(asJson(report), null, 2)}\n`);
    else {
      await writeStdout(`${escapeHidden(asText(report).join("\n"))}\n`);
      for (const { server, reason } of report.failures)
        await writeStderr(escapeHidden(`"${server}" is not in it, it could not be asked: ${reason}\n`));
    }
    return report.failures.length === 0 ? 0 : 1;
  } finally {
    await gateway.close();
  }
}

async function measure(gateway: RunningGateway, redact: (text: string) => string): Promise<Report> {
  await gateway.catalog.ready();
  const enabled = gateway.servers().filter((server) => server.enabled);
  const outcomes = await Promise.all(
    enabled.map(({ name }) =>
      gateway.operation.ensureTools(name).then(
        () => [],
        (error: unknown) => [{ server: name, reason: redact(error instanceof Error ? error.message : String(error)) }],
      ),
    ),
  );
  const account = await tokenAccount(gateway);
  return { ...account, failures: outcomes.flat(), search: await searchTokens(gateway, account) };
}

/** Searches for tools by their own descriptions, spread over the servers. */
async function searchTokens(gateway: RunningGateway, { servers }: TokenAccount): Promise<number | undefined> {
  const queries: string[] = [];
  for (let at = 0; queries.length < sampleSearches; at++) {
    const round = servers.flatMap(({ server }) => gateway.catalog.list(server, "tools")?.slice(at, at + 1) ?? []);
    if (round.length === 0) break;
    queries.push(...round.map(({ name, description }) => String(description || name).slice(0, 80)));
  }
  const costs = await Promise.all(queries.slice(0, sampleSearches).map((query) => searchCost(gateway, query)));
  return costs.length === 0 ? undefined : Math.round(costs.reduce((sum, cost) => sum + cost, 0) / costs.length);
}

async function searchCost(gateway: RunningGateway, query: string): Promise<number> {
  const params = { name: "gateway_search_tools", arguments: { query } };
  const text = await gateway.face.handle(
    { kind: "request", id: 1, method: "tools/call", params },
    {
      caller: anonymousCaller,
      session: undefined,
      backend: undefined,
      requestId: "tokens",
      signal: neverCancelled,
      emit: () => false,
    },
  );
  const { result } = JSON.parse(text ?? "{}") as { result?: Json };
  const content = isJsonObject(result) ? result["content"] : undefined;
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : [];
  return blocks.reduce((sum, block) => sum + estimateTokens(String(block["text"] ?? "")), 0);
}

function asJson({ servers, direct, gateway, search, failures }: Report) {
  return {
    tokenizer: "o200k_base, estimated within 8 %",
    direct_list: direct,
    gateway_list: gateway,
    saved_per_session: direct - gateway,
    search_mean: search ?? null,
    servers,
    failures,
  };
}

function asText({ servers, direct, gateway, search }: Report): string[] {
  const tools = servers.reduce((sum, one) => sum + one.tools, 0);
  const saved = direct - gateway;
  const rows = servers.map((one) => [one.server, one.tools, one.tokens]);
  return [
    ...columns([
      ["Server", "Tools", "Tokens"],
      ...rows,
      ["All tools, listed directly", tools, direct],
      ["Through the gateway", "", gateway],
    ]),
    "",
    ...verdict(saved, direct, search),
    "",
    "Tokens are those of name, description and input schema, estimated for the o200k tokenizer (within 8 % of it).",
  ];
}

function verdict(saved: number, direct: number, search: number | undefined): string[] {
  const count = (value: number) => value.toLocaleString("en");
  if (search === undefined) return ["No backend lists a tool."];
  if (saved <= search)
    return [
      `One search costs ${count(search)} tokens: with so few tools, listing them directly costs less (--no-meta-mcp).`,
    ];
  return [
    `Saves ${count(saved)} tokens (${((saved / direct) * 100).toFixed(0)} %) in every request of a session.`,
    `Finding a tool costs ${count(search)} tokens a search, so a session gains until it has searched ${count(Math.floor(saved / search))} times.`,
  ];
}

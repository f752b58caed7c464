/** A program of the model that calls many tools in one turn; only what it returns comes back. */
import { Answer } from "../../core/answer.ts";
import { CancelledError } from "../../core/errors.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { parseExact } from "../../lib/exact-json.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { invalid } from "../arguments.ts";
import { findTarget } from "../find-target.ts";
import type { MetaContext } from "../meta-tool.ts";
import { failureText, toolValue } from "../tool-value.ts";
import { visibleServers, visibleTools } from "../visible.ts";

const maxSourceCharacters = 100_000;

/** A program that fails is a result with `isError`: `{failed, calls, logs?}`, where `calls` are those that went well. */
export async function runScript(source: string, context: MetaContext): Promise<Answer> {
  if (source.length > maxSourceCharacters) throw invalid(`"script" has more than ${maxSourceCharacters} characters`);
  const { scripts } = context.settings.codeMode;
  const { runProgram } = await import("../../sandbox/run-program.ts");
  await context.catalog.ready();
  const done: string[] = [];
  const over = new Cancellation();
  try {
    const end = await runProgram({
      source,
      timeoutMs: scripts.timeout,
      maxComputeMs: scripts.compute_time,
      maxMemoryBytes: scripts.max_memory,
      maxCalls: scripts.max_calls,
      maxResultCharacters: scripts.max_result_size,
      signal: context.signal,
      clock: context.clock,
      async call(server, tool, json) {
        const target = await findTarget(await meant(server, tool, context), context);
        const args = parseExact(json);
        const name = `${target.server}:${target.tool}`;
        if (!isJsonObject(args)) throw new Error(`${name} takes one object of arguments`);
        const outcome = toolValue(await context.callTool(target.server, target.tool, args, { signal: over }));
        if (outcome.isError) throw new Error(`${name} failed: ${failureText(outcome)}`);
        done.push(name);
        context.report(done.length, undefined, name);
        return JSON.stringify(outcome.value);
      },
    });
    if (end.is === "failed") return failed(end.message, done, end.logs);
    const texts = [
      end.json === undefined ? "null" : asText(end.json),
      ...(end.logs.length > 0 ? [logged(end.logs)] : []),
    ];
    return Answer.of({ content: texts.map((text) => ({ type: "text", text })) });
  } finally {
    // Calls that the program did not wait for.
    over.abort(new CancelledError("The program ended without waiting for the call"));
  }
}

/** A program writes `tools.my_server.read_file` where the names are `my-server` and `read-file`. */
async function meant(server: string, tool: string, context: MetaContext): Promise<JsonObject> {
  if (server === "") return { tool };
  const servers = visibleServers(context).map(({ name }) => name);
  const owner = context.resolveServer(server) ?? likeIdentifier(server, servers) ?? server;
  // Where that fails the call says why.
  if (servers.includes(owner) && visibleTools(context, owner) === undefined)
    await context.ensureTools(owner).catch(() => {});
  const tools = (visibleTools(context, owner) ?? []).map(({ name }) => String(name));
  return { server: owner, tool: tools.includes(tool) ? tool : (likeIdentifier(tool, tools) ?? tool) };
}

function likeIdentifier(name: string, names: readonly string[]): string | undefined {
  const fitting = names.filter((one) => one.replace(/[^A-Za-z0-9_$]/g, "_") === name);
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Text is shown as it is, everything else as JSON. */
function asText(json: string): string {
  const value: unknown = json.startsWith('"') ? JSON.parse(json) : undefined;
  return typeof value === "string" ? value : json;
}

function logged(logs: readonly string[]): string {
  return `Logged:\n${logs.join("\n")}`;
}

function failed(message: string, calls: readonly string[], logs: readonly string[]): Answer {
  const result = { failed: message, calls, ...(logs.length > 0 && { logs }) };
  return Answer.of({ content: [{ type: "text", text: JSON.stringify(result) }], isError: true });
}

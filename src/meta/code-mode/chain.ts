/** Several calls in one turn, each of which may use the results of those before; ends at the first that fails. */
import { Answer } from "../../core/answer.ts";
import { CancelledError, GatewayError, UpstreamRpcError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { invalid, readObject, readString } from "../arguments.ts";
import { findTarget, type Target } from "../find-target.ts";
import type { MetaContext } from "../meta-tool.ts";
import { referencesIn, resolveReferences } from "../references.ts";
import { failureText, toolValue } from "../tool-value.ts";

const maxSteps = 50;
/** `URLElicitationRequiredError` (client/elicitation, 2025-11-25). */
const urlElicitationRequired = -32_042;

interface Step extends Target {
  readonly id: string;
  readonly place: string;
  readonly args: JsonObject;
}

interface Done {
  readonly step: string;
  readonly tool: string;
  readonly result: Json;
}

/**
 * The result is `{steps, results: [{step, tool, result}]}`, or `{steps, output}` where `output` is asked for. One that
 * ended early has `failed: {step, tool, error}`, `results` up to there, and `isError`. Nothing is called before every
 * step is known to be right.
 */
export async function runChain(
  chain: readonly Json[],
  output: Json | undefined,
  context: MetaContext,
): Promise<Answer> {
  const steps = await readSteps(chain, output, context);
  const values = new Map<string, Json>();
  const results: Done[] = [];
  const blocks: JsonObject[] = [];
  for (const step of steps) {
    const tool = `${step.server}:${step.tool}`;
    try {
      const args = resolveReferences(step.args, values, step.place);
      if (!isJsonObject(args)) throw invalid(`${step.place} has arguments that are no object: ${JSON.stringify(args)}`);
      const outcome = toolValue(await context.callTool(step.server, step.tool, args, { signal: context.signal }));
      if (outcome.isError) return ended(steps, results, blocks, { step: step.id, tool, error: failureText(outcome) });
      values.set(step.id, outcome.value);
      results.push({ step: step.id, tool, result: outcome.value });
      blocks.push(...outcome.blocks);
      context.report(results.length, steps.length, tool);
    } catch (error) {
      if (!(error instanceof GatewayError) || error instanceof CancelledError) throw error;
      // The host shows an address to the user and calls again: nothing must have been done yet.
      if (results.length === 0 && sendsUserElsewhere(error)) throw error;
      return ended(steps, results, blocks, { step: step.id, tool, error: sentence(error) });
    }
  }
  if (output === undefined) return asAnswer({ steps: steps.length, results: results as unknown as Json }, blocks);
  try {
    return asAnswer({ steps: steps.length, output: resolveReferences(output, values, '"output"') }, blocks);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return ended(steps, results, blocks, { step: "output", error: sentence(error) });
  }
}

async function readSteps(chain: readonly Json[], output: Json | undefined, context: MetaContext): Promise<Step[]> {
  if (chain.length === 0 || chain.length > maxSteps) throw invalid(`"chain" must hold 1 to ${maxSteps} steps`);
  const steps: Step[] = [];
  const known = new Set<string>();
  for (const [at, entry] of chain.entries()) {
    const id = (isJsonObject(entry) && readString(entry, "id", "name")) || `step${at + 1}`;
    const place = `Step "${id}"`;
    if (!isJsonObject(entry)) throw invalid(`${place} must be an object {"tool": "server:tool", "arguments": {…}}`);
    if (!/^[\w-]+$/.test(id)) throw invalid(`${place} must have an id of letters, digits, "_" and "-"`);
    if (known.has(id)) throw invalid(`${place} has the id of an earlier step`);
    const args = named(place, () => readObject(entry, "arguments", "args"));
    checkReferences(args, known, place);
    const target = await findTarget(entry, context).catch((error: unknown) => {
      throw error instanceof GatewayError && !(error instanceof CancelledError) ? atPlace(place, error) : error;
    });
    steps.push({ ...target, id, place, args });
    known.add(id);
  }
  if (output !== undefined) checkReferences(output, known, '"output"');
  return steps;
}

function checkReferences(value: Json, known: ReadonlySet<string>, place: string): void {
  for (const { head, text } of referencesIn(value, place))
    if (!known.has(head)) {
      const names = known.size === 0 ? "there is none" : `these are ${[...known].join(", ")}`;
      throw invalid(`${place} refers to "${text}", but "${head}" is no earlier step: ${names}`);
    }
}

function named<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof GatewayError ? atPlace(place, error) : error;
  }
}

function atPlace(place: string, { code, message, hint, data, cause }: GatewayError): GatewayError {
  return new GatewayError(code, `${place}: ${message}`, { hint, data, cause });
}

function sendsUserElsewhere(error: GatewayError): boolean {
  if (error instanceof UpstreamRpcError) return error.rpc.code === urlElicitationRequired;
  return error.code === "LOGIN_REQUIRED";
}

function ended(steps: readonly Step[], results: readonly Done[], blocks: readonly JsonObject[], failed: JsonObject) {
  const value = { steps: steps.length, results: results as unknown as Json, failed };
  return asAnswer(value, blocks, { isError: true });
}

/** What models read is text; images and resources of the steps follow it as they are. */
function asAnswer(value: JsonObject, blocks: readonly JsonObject[], more: JsonObject = {}): Answer {
  return Answer.of({ content: [{ type: "text", text: JSON.stringify(value) }, ...blocks], ...more });
}

function sentence({ code, message, hint }: GatewayError): string {
  return `${code}: ${message}${hint === undefined ? "" : `. ${hint}`}`;
}

/** A playbook file as what runs: checked in full, so that no step fails on what could be known before the first. */
import { ConfigError } from "../../core/errors.ts";
import { parseDurationMs } from "../../lib/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { ValuePath } from "../value-path.ts";
import { type Condition, parseCondition, pathsIn } from "./condition.ts";
import { pathsInTemplate } from "./templates.ts";

export type OnError = "abort" | "continue" | "retry";

export interface PlaybookStep {
  readonly name: string;
  readonly server: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly condition: Condition | undefined;
  readonly onError: OnError;
  readonly maxRetries: number;
}

export interface Playbook {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputs: JsonObject;
  readonly steps: readonly PlaybookStep[];
  /** `undefined` gives the results of all steps. */
  readonly output: readonly OutputField[] | undefined;
  /** Milliseconds for all steps together. */
  readonly timeoutMs: number;
}

export interface OutputField {
  readonly key: string;
  /** Without its dollar sign. */
  readonly path: string;
  readonly fallback: Json | undefined;
}

/** One file as it was read. */
export interface PlaybookSource {
  readonly value: unknown;
  /** `file:line:column` of the key or list item at the path. */
  placeOf(path: readonly PropertyKey[]): string;
}

const defaultServer = "capabilities";
const maxSteps = 100;
const fileKeys = "playbook name description inputs steps output on_error max_retries timeout".split(" ");
const stepKeys = "name tool server arguments args condition on_error max_retries".split(" ");
/** Names with a meaning of their own in paths. */
const inputsName = "inputs";
const previousName = "prev";

/** @throws ConfigError with one line `file:line:column  problem` for each problem */
export function readPlaybook({ value, placeOf }: PlaybookSource): Playbook {
  const problems: string[] = [];
  const problem = (at: readonly PropertyKey[], text: string) => void problems.push(`${placeOf(at)}  ${text}`);
  const fail = () => new ConfigError(problems.join("\n"));
  if (!isJsonObject(value)) {
    problem([], "A playbook must be a mapping");
    throw fail();
  }
  const unknownKeys = (map: JsonObject, known: readonly string[], at: readonly PropertyKey[]) => {
    for (const key of Object.keys(map)) if (!known.includes(key)) problem([...at, key], `"${key}" is no setting here`);
  };
  const text = (map: JsonObject, key: string, at: readonly PropertyKey[]): string | undefined => {
    const found = map[key] ?? undefined;
    if (found === undefined || typeof found === "string") return found === "" ? undefined : found;
    problem([...at, key], `"${key}" must be text`);
    return undefined;
  };
  const onErrorOf = (map: JsonObject, at: readonly PropertyKey[], fallback: OnError): OnError => {
    const found = map["on_error"] ?? fallback;
    if (found === "abort" || found === "continue" || found === "retry") return found;
    problem([...at, "on_error"], '"on_error" must be abort, continue or retry');
    return fallback;
  };
  const retriesOf = (map: JsonObject, at: readonly PropertyKey[], fallback: number): number => {
    const found = map["max_retries"] ?? fallback;
    if (typeof found === "number" && Number.isInteger(found) && found >= 0 && found <= 10) return found;
    problem([...at, "max_retries"], '"max_retries" must be a whole number from 0 to 10');
    return fallback;
  };

  unknownKeys(value, fileKeys, []);
  const name = text(value, "name", []);
  if (name === undefined) problem(["name"], '"name" is missing');
  const version = value["playbook"] ?? "1.0";
  if (String(version) !== "1.0" && String(version) !== "1")
    problem(["playbook"], `Version ${JSON.stringify(version)} of playbooks is not known, "1.0" is`);
  const inputs = value["inputs"] ?? {};
  if (!isJsonObject(inputs)) problem(["inputs"], '"inputs" must be a JSON Schema, or a mapping of names to schemas');
  const onError = onErrorOf(value, [], "abort");
  const maxRetries = retriesOf(value, [], 1);
  const timeout = value["timeout"] ?? 60;
  const timeoutMs = typeof timeout === "number" || typeof timeout === "string" ? parseDurationMs(timeout) : undefined;
  if (timeoutMs === undefined || timeoutMs === 0)
    problem(["timeout"], '"timeout" must be a duration such as 60 or "60s"');

  const known = new Set([inputsName]);
  const checkPaths = (paths: readonly ValuePath[], at: readonly PropertyKey[]) => {
    for (const { head, text: path } of paths)
      if (!known.has(head))
        problem(
          at,
          `"$${path}" names no earlier step: there ${known.size === 1 ? "is" : "are"} ${[...known].join(", ")}`,
        );
  };
  const steps: PlaybookStep[] = [];
  const entries = value["steps"];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > maxSteps)
    problem(["steps"], `"steps" must be a list of 1 to ${maxSteps} steps`);
  else
    for (const [at, entry] of entries.entries()) {
      const place = ["steps", at];
      if (!isJsonObject(entry)) {
        problem(place, "A step must be a mapping");
        continue;
      }
      unknownKeys(entry, stepKeys, place);
      const stepName = text(entry, "name", place) ?? `step${at + 1}`;
      if (!/^[\w-]+$/.test(stepName) || known.has(stepName) || stepName === previousName)
        problem([...place, "name"], `"${stepName}" must be a new name of letters, digits, "_" and "-"`);
      const tool = text(entry, "tool", place);
      if (tool === undefined) problem(place, 'A step needs "tool"');
      const args = entry["arguments"] ?? entry["args"] ?? {};
      if (!isJsonObject(args)) problem([...place, "arguments"], '"arguments" must be a mapping');
      checkPaths(pathsInTemplate(args), [...place, entry["args"] === undefined ? "arguments" : "args"]);
      const condition = conditionOf(entry["condition"] ?? undefined);
      if (typeof condition === "string") problem([...place, "condition"], `The condition ${condition}`);
      else if (condition !== undefined) checkPaths(pathsIn(condition), [...place, "condition"]);
      const [server, ownTool] = serverAndTool(text(entry, "server", place), tool ?? "");
      steps.push({
        name: stepName,
        server,
        tool: ownTool,
        arguments: isJsonObject(args) ? args : {},
        condition: typeof condition === "string" ? undefined : condition,
        onError: onErrorOf(entry, place, onError),
        maxRetries: retriesOf(entry, place, maxRetries),
      });
      known.add(stepName);
      known.add(previousName);
    }
  const output = outputOf(value["output"] ?? undefined, (at, message) => problem(["output", ...at], message));
  for (const field of output ?? [])
    checkPaths(pathsInTemplate(`$${field.path}`), ["output", "properties", field.key, "path"]);
  if (problems.length > 0) throw fail();
  return {
    name: name as string,
    description: text(value, "description", []) ?? "",
    inputs: schemaOf(inputs as JsonObject),
    steps,
    output,
    timeoutMs: timeoutMs as number,
  };
}

function conditionOf(value: Json | undefined): Condition | string | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? parseCondition(value) : "must be text";
}

function serverAndTool(server: string | undefined, tool: string): [string, string] {
  const colon = tool.indexOf(":");
  if (server !== undefined || colon <= 0) return [server ?? defaultServer, tool];
  return [tool.slice(0, colon), tool.slice(colon + 1)];
}

/** A mapping of names to schemas, as it is shorter to write, is a schema of an object with those properties. */
function schemaOf(inputs: JsonObject): JsonObject {
  if (inputs["type"] === "object" || isJsonObject(inputs["properties"])) return { type: "object", ...inputs };
  const entries = Object.entries(inputs).map(([name, schema]) => [name, isJsonObject(schema) ? schema : {}] as const);
  const required = entries.filter(([, schema]) => schema["required"] === true).map(([name]) => name);
  const properties = entries.map(([name, { required: _flag, ...schema }]) => [name, schema]);
  return { type: "object", properties: Object.fromEntries(properties), ...(required.length > 0 && { required }) };
}

function outputOf(
  output: Json | undefined,
  problem: (at: readonly PropertyKey[], text: string) => void,
): OutputField[] | undefined {
  if (output === undefined) return undefined;
  const properties = isJsonObject(output) ? output["properties"] : undefined;
  if (!isJsonObject(properties)) {
    problem([], '"output" must have "properties"');
    return undefined;
  }
  return Object.entries(properties).flatMap(([key, field]) => {
    const path = isJsonObject(field) ? field["path"] : field;
    if (typeof path !== "string" || !path.startsWith("$")) {
      problem(["properties", key], `"${key}" must have a "path" such as "$step.value"`);
      return [];
    }
    return [{ key, path: path.slice(1), fallback: isJsonObject(field) ? field["fallback"] : undefined }];
  });
}

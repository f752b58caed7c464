/** Capabilities made of an OpenAPI document that an operator sends or names: shown, or written where the gateway finds them. */
import { type CapabilityTexts, capabilityTexts } from "../../../capabilities/import/capability-texts.ts";
import { fetchPage } from "../../../capabilities/import/fetch-document.ts";
import { importDocument } from "../../../capabilities/import/import-document.ts";
import { type ImportOptions, maxCapabilities } from "../../../capabilities/import/imported.ts";
import { parseDocument } from "../../../capabilities/import/parse-document.ts";
import { firstExisting, writeTexts } from "../../../capabilities/import/write-texts.ts";
import { Refusal as GuardRefusal } from "../../../capabilities/refusal.ts";
import { targetCheck } from "../../../capabilities/ssrf.ts";
import { ConfigError } from "../../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../../lib/json.ts";
import { basename, join } from "../../../runtime/paths.ts";
import { Refusal, sendJson } from "../respond.ts";
import { assertProven } from "./assert-proven.ts";
import type { Task } from "./route.ts";

const known = ["spec", "url", "prefix", "auth_key"];
/** One write at a time, so that none finds free what another is about to write. */
let lastWrite: Promise<unknown> = Promise.resolve();

export async function previewOpenApi(task: Task): Promise<JsonObject> {
  const { files, warnings } = await textsOf(task);
  const capabilities = files.map(({ name, description, text }) => ({ name, description, yaml: text }));
  return { capabilities, warnings };
}

/** A key of `auth_key` goes to the servers that the document names. */
export async function writeOpenApi(task: Task): Promise<Response> {
  assertProven(task, "Capabilities are imported");
  const { gateway, visit } = task;
  const { enabled, directories } = gateway.config.capabilities;
  const [directory] = directories;
  if (!enabled || directory === undefined)
    throw new Refusal(503, "The gateway reads no folder of capabilities: see capabilities.directories");
  const { files, warnings } = await textsOf(task);
  const placed = files.map(({ name, text }) => ({ path: join(directory, `${name}.yaml`), text }));
  const result = lastWrite.then(async () => {
    const existing = await firstExisting(placed);
    if (existing !== undefined)
      throw new Refusal(409, `There is a file "${basename(existing)}" already`, {
        hint: "Give a prefix, or remove it",
      });
    await writeTexts(placed).catch((error: Error) => {
      throw new Refusal(503, `The capabilities cannot be written: ${error.message}`);
    });
  });
  lastWrite = result.catch(() => {});
  await result;
  gateway.log.info("Capabilities are imported by an operator", { count: files.length, caller: visit.caller.name });
  const capabilities = files.map(({ name, description }) => ({ name, description }));
  return sendJson(visit, 201, JSON.stringify({ status: "created", directory, capabilities, warnings }));
}

async function textsOf(task: Task): Promise<CapabilityTexts> {
  const { body } = task;
  const stray = Object.keys(body).find((field) => !known.includes(field));
  if (stray !== undefined) throw new Refusal(422, `"${stray.slice(0, 100)}" is not one of ${known.join(", ")}`);
  const [prefix, authKey, url] = ["prefix", "auth_key", "url"].map((key) => textAt(body, key));
  if ((body["spec"] === undefined) === (url === undefined))
    throw new Refusal(422, 'The body needs either "spec", the document, or "url", its address');
  if (url !== undefined && (!/^https?:\/\//i.test(url) || !URL.canParse(url)))
    throw new Refusal(422, '"url" must be an http or https address');
  const documentUrl = url === undefined ? undefined : new URL(url);
  const options: ImportOptions = { prefix, authKey, documentUrl, sourceName: "api", maxCount: maxCapabilities };
  try {
    const { capabilities, warnings } = importDocument(await documentOf(task, documentUrl), options, "openapi");
    const made = await capabilityTexts(capabilities);
    if (made.files.length > 0) return { files: made.files, warnings: [...warnings, ...made.warnings] };
    throw new ConfigError(["No operation could be made into a capability", ...warnings, ...made.warnings].join("\n"));
  } catch (error) {
    throw asRefusal(error);
  }
}

async function documentOf({ body, gateway }: Task, url: URL | undefined): Promise<JsonObject> {
  const { spec } = body;
  if (isJsonObject(spec)) return parseDocument("spec", JSON.stringify(spec));
  if (typeof spec === "string") return parseDocument("spec", spec);
  if (url === undefined) throw new ConfigError('"spec" must be a text or an object');
  const checkTarget = targetCheck(gateway.config.security?.ssrf_protection === false);
  return parseDocument("url", (await fetchPage(url.href, { checkTarget })).text);
}

function textAt(body: JsonObject, key: string): string | undefined {
  const value = body[key];
  if (value === undefined || typeof value === "string") return value;
  throw new Refusal(422, `"${key}" must be a text`);
}

function asRefusal(error: unknown): unknown {
  if (error instanceof GuardRefusal)
    return new Refusal(422, error.message, error.detail === undefined ? {} : { hint: error.detail });
  return error instanceof ConfigError ? new Refusal(422, error.message) : error;
}

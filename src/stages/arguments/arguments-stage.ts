/**
 * Cleans the arguments of tools and prompts before anything looks at them, so that what is judged is what the server gets
 * (T18, T23). Names and addresses stay as they are: the stages above decided by them.
 */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../lib/json.ts";

/** Everything outside visible ASCII, line feed, carriage return and tab: a cheap look; most arguments have none of it. */
const unusual = /[^\t\n\r -~]/;

type CleanText = (text: string) => string;

export function argumentsStage(sanitizeInput: boolean): Stage | undefined {
  if (!sanitizeInput) return undefined;
  let cleanText: CleanText | undefined;

  function cleaned(call: Call, clean: CleanText): Call {
    const before = call.params?.["arguments"] as Json;
    const after = cleanValue(before, clean, call);
    return after === before ? call : { ...call, params: { ...call.params, arguments: after } };
  }

  return (call, next) => {
    if (!holdsUnusual(call.params?.["arguments"])) return next(call);
    if (cleanText === undefined)
      return import("./clean-text.ts").then((module) => {
        cleanText = module.cleanText;
        return next(cleaned(call, cleanText));
      });
    try {
      return next(cleaned(call, cleanText));
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function holdsUnusual(value: Json | undefined): boolean {
  if (typeof value === "string") return unusual.test(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsUnusual);
  for (const key in value as JsonObject) if (unusual.test(key) || holdsUnusual((value as JsonObject)[key])) return true;
  return false;
}

/** The same value where nothing had to be taken out. */
function cleanValue(value: Json, clean: CleanText, call: Call): Json {
  if (typeof value === "string") return cleanString(value, clean, call);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => cleanValue(item, clean, call));
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  let changed = false;
  const entries = Object.entries(value).map(([key, item]): [string, Json | undefined] => {
    const cleanKey = cleanString(key, clean, call);
    const cleanItem = item === undefined ? undefined : cleanValue(item, clean, call);
    changed ||= cleanKey !== key || cleanItem !== item;
    return [cleanKey, cleanItem];
  });
  return changed ? Object.fromEntries(entries) : value;
}

function cleanString(text: string, clean: CleanText, call: Call): string {
  if (text.includes("\0"))
    throw new DeniedError("INVALID_PARAMS", `An argument for server "${call.upstream}" contains a NUL character`, {
      hint: "Leave it out, or encode binary data as base64",
      data: { server: call.upstream },
    });
  return clean(text);
}

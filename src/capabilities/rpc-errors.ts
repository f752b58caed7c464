/** GraphQL and JSON-RPC say with status 200 that they failed. */
import { isJsonObject, type Json } from "../lib/json.ts";
import type { HttpAction } from "./capability.ts";
import { Refusal } from "./refusal.ts";
import { excerpt, type Reading } from "./response.ts";

const shownErrors = 5;

/** @throws Refusal with what the API said, unless it answered at least in part */
export function assertNoRpcError({ service, query }: HttpAction, answer: Json, reading: Reading): void {
  if (!isJsonObject(answer)) return;
  const { error, errors, data } = answer;
  if (service === "jsonrpc" && isJsonObject(error))
    throw new Refusal(
      `The API answered with error ${JSON.stringify(error["code"] ?? null)}`,
      excerpt(textOf(error), reading),
    );
  if (query === undefined || !Array.isArray(errors) || errors.length === 0) return;
  if (data !== undefined && data !== null) return;
  const lines = errors.slice(0, shownErrors).map((each: Json) => (isJsonObject(each) ? textOf(each) : String(each)));
  throw new Refusal("The API answered with errors instead of data", excerpt(lines.join("\n"), reading));
}

function textOf(error: { readonly message?: Json | undefined }): string {
  return typeof error.message === "string" ? error.message : JSON.stringify(error);
}

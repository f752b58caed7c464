/** What a service sent, by its content type: JSON, a form, or text. */
import { GatewayError } from "../../core/errors.ts";
import { parseExact } from "../../lib/exact-json.ts";
import { type Json, nestsDeeper } from "../../lib/json.ts";
import { decodeUtf8 } from "../../lib/utf8.ts";

const maxDepth = 64;

/** @throws GatewayError PARSE_ERROR */
export function readPayload(contentType: string | null, body: Uint8Array): Json {
  const mimeType = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const text = decoded(body);
  if (/[/+]json$/.test(mimeType)) return parsed(text);
  if (mimeType !== "application/x-www-form-urlencoded") return text;
  const fields = new URLSearchParams(text);
  // GitHub and Slack can send their JSON as the one field of a form.
  const payload = fields.get("payload");
  return payload === null ? Object.fromEntries(fields) : parsed(payload);
}

function decoded(body: Uint8Array): string {
  try {
    return decodeUtf8(body);
  } catch (cause) {
    throw new GatewayError("PARSE_ERROR", "The delivery is not valid UTF-8", { cause });
  }
}

function parsed(text: string): Json {
  let value: Json;
  try {
    value = parseExact(text) as Json;
  } catch (cause) {
    throw new GatewayError("PARSE_ERROR", "The delivery is not valid JSON", { cause });
  }
  if (nestsDeeper(value, maxDepth))
    throw new GatewayError("PARSE_ERROR", `The delivery is nested deeper than ${maxDepth} levels`);
  return value;
}

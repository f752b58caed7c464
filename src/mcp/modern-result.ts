/** Results between the eras: what 2026-07-28 adds to every one of them, and takes away again for older clients. */
import { Answer } from "../core/answer.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { gatewayInfo, metaKeys } from "./envelope.ts";

/** Results that have to say for how long and for whom they may be kept (server/utilities/caching). */
const cached: ReadonlySet<string> = new Set([
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "skills/list",
  "skills/get",
  "resources/directory/read",
]);
/** What a backend says may change at any moment, and may be meant for one caller alone. */
const cacheHints = '"ttlMs":0,"cacheScope":"private"';

/** Where one of these may be a member of its own, the text has to be read. */
const ownMembers = /"(?:resultType|_meta|ttlMs|cacheScope)"/;
const ourMeta = `"_meta":${JSON.stringify({ [metaKeys.serverInfo]: gatewayInfo })}`;

/**
 * JSON text of a result as a client of 2026-07-28 gets it.
 * @throws UpstreamError UPSTREAM_PROTOCOL when it is nested beyond reason
 */
export function modernResult(method: string, text: string): string {
  const isCached = cached.has(method);
  // Reading and writing out again what is only passed on would cost a large result three times its time.
  if (!ownMembers.test(text)) {
    const members = `"resultType":"complete",${isCached ? `${cacheHints},` : ""}${ourMeta}`;
    const rest = text.slice(text.indexOf("{") + 1).trimStart();
    return `{${members}${rest.startsWith("}") ? "" : ","}${rest}`;
  }
  const { resultType = "complete", ttlMs, cacheScope, _meta, ...rest } = Answer.ofText(text).exactValue;
  const isComplete = resultType === "complete";
  const hints = {
    ttlMs: typeof ttlMs === "number" && ttlMs >= 0 ? ttlMs : 0,
    cacheScope: cacheScope === "public" ? "public" : "private",
  };
  const kept = { ...(ttlMs === undefined ? {} : { ttlMs }), ...(cacheScope === undefined ? {} : { cacheScope }) };
  return JSON.stringify({
    resultType,
    ...(isCached && isComplete ? hints : kept),
    _meta: { ...(isJsonObject(_meta) ? _meta : {}), [metaKeys.serverInfo]: gatewayInfo },
    ...rest,
  });
}

/** A result of a server of 2026-07-28 as older clients know it. */
export function legacyResult(method: string, answer: Answer): Answer {
  const { resultType: _era, _meta, ...members } = withObjectContent(answer.exactValue);
  const { ttlMs: _ttl, cacheScope: _scope, ...uncached } = members;
  const rest = cached.has(method) ? uncached : members;
  if (!isJsonObject(_meta)) return Answer.of(rest as JsonObject);
  const { [metaKeys.serverInfo]: _hop, ...meta } = _meta;
  return Answer.of((Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }) as JsonObject);
}

/** Older clients take nothing but an object, and refuse the whole result otherwise; what it says must be in the text then. */
function withObjectContent(result: JsonObject): JsonObject {
  const { structuredContent, ...rest } = result;
  if (structuredContent === undefined || isJsonObject(structuredContent)) return result;
  const { content } = rest;
  if (Array.isArray(content) && content.length > 0) return rest as JsonObject;
  return { ...rest, content: [{ type: "text", text: JSON.stringify(structuredContent) }] };
}

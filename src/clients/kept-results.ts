/** Whole results of tools whose answer was cut, for the session that called them. In memory, the oldest go first. */
import type { Answer } from "../core/answer.ts";
import { GatewayError } from "../core/errors.ts";
import { signatureKey } from "../core/signed-result.ts";
import type { JsonObject } from "../lib/json.ts";
import { randomToken } from "../runtime/random.ts";
import { cutResult } from "./cut-result.ts";
import type { FaceHost } from "./host.ts";
import type { Session } from "./session.ts";

const keptPrefix = "gateway://results/";

const maxOfSession = { results: 20, characters: 16 * 1_048_576 };
const maxOfAll = { results: 500, characters: 128 * 1_048_576 };

interface Kept {
  readonly session: Session;
  readonly text: string;
}

/** By id, oldest first. One for the process, because its memory is. */
const kept = new Map<string, Kept>();

/** JSON text of the result as it fits, with a note of what is missing and how to get it. */
export function cutAndKeep(host: FaceHost, session: Session, answer: Answer, maxCharacters: number): string {
  const { text } = answer;
  const cut = cutResult(answer.exactValue, maxCharacters);
  const id = keep(host, session, text);
  const { content, _meta } = cut;
  // The signature is of the whole, and is kept with it.
  const { [signatureKey]: _ofWhole, ...meta } = (_meta ?? {}) as JsonObject;
  const note =
    `[This result is cut: it has ${text.length} characters as JSON, more than ${maxCharacters}. The whole of it is kept as ` +
    `${keptPrefix}${id}: gateway_read_result with "result": "${id}" and a "path" such as "items[10].name" or an "offset" ` +
    "shows other parts.]";
  return JSON.stringify({
    ...cut,
    content: [...(Array.isArray(content) ? content : []), { type: "text", text: note }],
    _meta: { ...meta, "mcp-gateway/kept_result": { uri: `${keptPrefix}${id}`, characters: text.length } },
  });
}

/** The JSON text of the whole result. @throws GatewayError RESOURCE_NOT_FOUND, also for what another session keeps */
export function keptResult(session: Session | undefined, id: string): string {
  const found = kept.get(id);
  if (found !== undefined && found.session === session) return found.text;
  throw new GatewayError("RESOURCE_NOT_FOUND", `No result "${id}" is kept for this session`, {
    hint: "The newest results of a session are kept while it lasts: call the tool again",
  });
}

/** The answer to `resources/read`. @throws GatewayError RESOURCE_NOT_FOUND */
export function readKeptResult(session: Session | undefined, uri: string): string {
  const text = keptResult(session, uri.slice(keptPrefix.length));
  return JSON.stringify({ contents: [{ uri, mimeType: "application/json", text }] });
}

function keep(host: FaceHost, session: Session, text: string): string {
  for (const [id, { session: owner }] of kept) if (!host.sessions.has(owner.id, owner.principal)) kept.delete(id);
  const id = randomToken(12);
  kept.set(id, { session, text });
  dropOldest((owner) => owner === session, maxOfSession);
  dropOldest(() => true, maxOfAll);
  return id;
}

/** All but the newest, which may be larger than the bound by itself. */
function dropOldest(counts: (owner: Session) => boolean, max: { results: number; characters: number }): void {
  const mine = [...kept].filter(([, { session }]) => counts(session));
  let characters = mine.reduce((sum, [, { text }]) => sum + text.length, 0);
  let results = mine.length;
  for (const [id, { text }] of mine.slice(0, -1)) {
    if (results <= max.results && characters <= max.characters) return;
    kept.delete(id);
    results--;
    characters -= text.length;
  }
}

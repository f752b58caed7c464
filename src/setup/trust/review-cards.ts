/** What in the cards asks for somebody's attention, and how they differ from those that were accepted before. */
import { changedMembers } from "../../catalog/integrity/definition-diff.ts";
import { isJsonObject, type Json, type JsonObject, stableJson } from "../../lib/json.ts";
import type { TrustCard } from "./trust-card.ts";

export interface CardRemark {
  readonly level: "error" | "warning";
  readonly id: string;
  readonly text: string;
}

const localhost = /^\w+:\/\/(localhost|127\.[\d.]+|\[::1\])(:|$)/;

export function reviewCards(cards: readonly TrustCard[]): CardRemark[] {
  return cards.flatMap(({ id, pin, findings, providers }) => [
    ...(pin === "held" ? [error(id, 'is quarantined: see "mcp-gateway quarantine show"')] : []),
    ...findings.map(({ rule, where }) => error(id, `may hide instructions to the model: ${rule} in ${where}`)),
    ...providers
      .flatMap(({ origins }) => origins)
      .filter((origin) => /^(http|ws):/.test(origin) && !localhost.test(origin))
      .map((origin) => warning(id, `goes to ${origin} unencrypted`)),
    ...(providers.some(({ auth }) => auth.some((kind) => kind.endsWith("from the file itself")))
      ? [warning(id, "has a key in its file: name it as env:VAR")]
      : []),
  ]);
}

/** @param before cards of a file; what is none of them counts as absent */
export function compareCards(before: readonly Json[], now: readonly TrustCard[]): CardRemark[] {
  const accepted = new Map<string, JsonObject>();
  for (const card of before) if (isJsonObject(card) && typeof card["id"] === "string") accepted.set(card["id"], card);
  const remarks = now.flatMap((card): CardRemark[] => {
    const was = accepted.get(card.id);
    const is = JSON.parse(JSON.stringify(card)) as JsonObject;
    if (was === undefined) return [warning(card.id, "is not in the file")];
    if (stableJson(was) === stableJson(is)) return [];
    return [error(card.id, `is not what is in the file: ${changedMembers(was, is).join(", ")}`)];
  });
  const ids = new Set(now.map(({ id }) => id));
  const gone = [...accepted.keys()].filter((id) => !ids.has(id));
  return [...remarks, ...gone.map((id) => warning(id, "is in the file, and not there any more"))];
}

function error(id: string, text: string): CardRemark {
  return { level: "error", id, text };
}

function warning(id: string, text: string): CardRemark {
  return { level: "warning", id, text };
}

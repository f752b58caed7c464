import { distance } from "fastest-levenshtein";
import { compactName } from "./compact-name.ts";

const longestName = 200;

/** Names a few typos away, or one inside the other (`github_create_issue` for `create_issue`); nearest first, ties in the given order. */
export function nearestNames(name: string, candidates: readonly string[], limit: number): string[] {
  if (name.length > longestName) return [];
  const wanted = compactName(name);
  const folded = name.toLowerCase();
  const maxDistance = Math.max(Math.min(3, Math.ceil(name.length / 2)), Math.floor(name.length * 0.4));
  const near: { candidate: string; away: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const letters = distance(folded, candidate.toLowerCase());
    const away = isInside(wanted, compactName(candidate)) ? Math.min(letters, 3) : letters;
    if (away <= maxDistance) near.push({ candidate, away });
  }
  return near
    .sort((a, b) => a.away - b.away)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

function isInside(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length);
  return shorter >= 4 && (a.includes(b) || b.includes(a));
}

/** Name patterns: `*` stands for any run of characters, everything else for itself. Linear time, no regular expressions. */

export function globMatches(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts[0] as string;
  if (parts.length === 1) return pattern === text;
  const last = parts[parts.length - 1] as string;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return from <= end;
}

/**
 * Patterns for what both lists match, as far as a pattern of the one lies wholly within one of the other; `undefined`
 * stands for everything. A pattern that matches the text of another, stars included, matches all that the other does.
 */
export function intersectGlobs(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const within = (inner: readonly string[], outer: readonly string[]) =>
    inner.filter((pattern) => outer.some((wider) => globMatches(wider, pattern)));
  return [...new Set([...within(one, other), ...within(other, one)])];
}

/** As {@link globMatches}, and `?` stands for any one character. For patterns that people search with. */
export function wildcardMatches(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (from < text.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      resume = from;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

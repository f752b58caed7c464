/** The first line's worth of a text: at most `maxLength` characters on one line, ended by an ellipsis where cut. */
export function shorten(value: unknown, maxLength: number): string {
  if (typeof value !== "string") return "";
  const line = value
    .slice(0, maxLength * 4)
    .replace(/\s+/g, " ")
    .trim();
  if (line.length <= maxLength) return line;
  // A surrogate pair cut in half is not valid text.
  return `${line.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

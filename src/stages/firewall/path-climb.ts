/** Paths that leave the place they begin at. */

const climbing = /(?:^|[/\\=:])\.\.(?:[/\\]|$)/;
/** `../` and `../../` in front are how projects name their neighbours; nobody counts further by hand. */
const plainClimbs = 2;

/** Whether the path goes further up than it went down: after it went down, or by more than two levels. */
export function escapes(text: string): boolean {
  if (!climbing.test(text)) return false;
  let depth = 0;
  let wentDown = false;
  for (const part of text.split(/[/\\=:]+/)) {
    if (part === "" || part === ".") continue;
    if (part !== "..") {
      depth++;
      wentDown = true;
      continue;
    }
    depth--;
    if (depth < (wentDown ? 0 : -plainClimbs)) return true;
  }
  return false;
}

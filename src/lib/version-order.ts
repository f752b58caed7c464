/** Which of two versions is newer, by the precedence of Semantic Versioning 2.0.0, section 11. */

const pattern = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

export function isVersion(text: string): boolean {
  return pattern.test(text);
}

/** Negative when `a` is older than `b`, 0 when neither is newer. Both must satisfy {@link isVersion}. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [pattern.exec(a), pattern.exec(b)];
  if (left === null || right === null) throw new RangeError(`"${left === null ? a : b}" is not a version`);
  for (const at of [1, 2, 3]) {
    const difference = Number(left[at]) - Number(right[at]);
    if (difference !== 0) return difference;
  }
  // A release is newer than its own pre-releases.
  if (left[4] === undefined || right[4] === undefined)
    return Number(left[4] === undefined) - Number(right[4] === undefined);
  return comparePreReleases(left[4].split("."), right[4].split("."));
}

function comparePreReleases(left: readonly string[], right: readonly string[]): number {
  for (const [at, a] of left.entries()) {
    const b = right[at];
    if (b === undefined) return 1;
    if (a === b) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumber && isOtherNumber) return Number(a) - Number(b);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}

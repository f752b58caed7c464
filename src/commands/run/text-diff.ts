/** The lines in which two texts differ, as `diff -U3` shows them. */

const context = 3;
/** Beyond this many lines that differ at both ends of neither text, the middle is shown as replaced. */
const maxCompared = 2_000;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Empty when the texts are equal. */
export function textDiff(before: string, after: string, label: string): string {
  if (before === after) return "";
  const lines = compared(linesOf(before), linesOf(after));
  const shown = lines.map((_line, at) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(({ sign }) => sign !== " "),
  );
  const out = [`--- ${label}`, `+++ ${label}`];
  let [oldLine, newLine] = [1, 1];
  for (const [at, { sign, text }] of lines.entries()) {
    if (shown[at]) {
      if (!shown[at - 1]) out.push(`@@ -${oldLine} +${newLine} @@`);
      out.push(sign + text.replace(/\r$/, ""));
    }
    if (sign !== "+") oldLine += 1;
    if (sign !== "-") newLine += 1;
  }
  return `${out.join("\n")}\n`;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function compared(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (text: string): Line => ({ sign: " ", text });
  const middle = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)] as const;
  return [...before.slice(0, head).map(same), ...changes(...middle), ...before.slice(before.length - tail).map(same)];
}

/** By the longest common subsequence. */
function changes(before: readonly string[], after: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ sign: "-", text });
  const added = (text: string): Line => ({ sign: "+", text });
  if (before.length > maxCompared || after.length > maxCompared) return [...before.map(removed), ...after.map(added)];
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  const commonAt = (i: number, j: number) => common[i * width + j] as number;
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      common[i * width + j] =
        before[i] === after[j] ? commonAt(i + 1, j + 1) + 1 : Math.max(commonAt(i + 1, j), commonAt(i, j + 1));
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: " ", text: before[i] as string });
      i += 1;
      j += 1;
    } else if (j < after.length && (i === before.length || commonAt(i, j + 1) > commonAt(i + 1, j))) {
      lines.push(added(after[j] as string));
      j += 1;
    } else {
      lines.push(removed(before[i] as string));
      i += 1;
    }
  }
  return lines;
}

/** Splits a command as a POSIX shell would split words, without being one: nothing is expanded, piped or run. */

/** The words, or where the quote that is never closed begins (offset into the text). */
export type SplitResult = { readonly words: string[] } | { readonly unclosedAt: number };

/**
 * Quotes and backslashes as in a shell. `${VAR}` and `${VAR:-some words}` stay one piece, so that a variable expanded
 * afterwards can never become two arguments.
 */
export function splitCommand(text: string): SplitResult {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === " " || char === "\t" || char === "\n" || char === "\r") {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return { unclosedAt: at };
      word = (word ?? "") + text.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      const quoted = readDoubleQuoted(text, at);
      if (quoted === undefined) return { unclosedAt: at };
      word = (word ?? "") + quoted.value;
      at = quoted.end;
    } else if (char === "\\" && at + 1 < text.length) {
      word = (word ?? "") + text[at + 1];
      at += 2;
    } else {
      const end = char === "$" && text[at + 1] === "{" ? text.indexOf("}", at) + 1 : 0;
      const piece = end > 0 ? text.slice(at, end) : char + ordinaryFrom(text, at + 1);
      word = (word ?? "") + piece;
      at += piece.length;
    }
  }
  if (word !== undefined) words.push(word);
  return { words };
}

const ordinary = /[^ \t\n\r'"\\$]*/y;

function ordinaryFrom(text: string, at: number): string {
  ordinary.lastIndex = at;
  return ordinary.exec(text)?.[0] ?? "";
}

/** The inverse of {@link splitCommand}: one line that splits into exactly these words. */
export function joinCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}

function readDoubleQuoted(text: string, start: number): { value: string; end: number } | undefined {
  let value = "";
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '"') return { value, end: at + 1 };
    const next = text[at + 1];
    // Inside double quotes a backslash escapes only these; before anything else it stands for itself.
    if (char === "\\" && next !== undefined && '"\\$`'.includes(next)) {
      value += next;
      at += 1;
    } else value += char;
  }
  return undefined;
}

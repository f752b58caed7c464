/** Regular expressions of configuration files, which are run on what strangers write. */
import isSafe from "safe-regex2";

/**
 * In the notation of JavaScript, and with `(?i)` at its beginning and `(?P<name>…)` as other notations have them.
 * @throws Error that says what is wrong: no regular expression, or one that some texts take very long to try
 */
export function compilePattern(text: string): RegExp {
  const flags = /^\(\?([imsu]+)\)/.exec(text);
  const source = text.slice(flags?.[0].length ?? 0).replaceAll("(?P<", "(?<");
  const pattern = new RegExp(source, `g${flags?.[1] ?? ""}`);
  if (!isSafe(pattern))
    throw new Error("a repetition within a repetition, such as (a+)+, takes some texts forever: write it without");
  return pattern;
}

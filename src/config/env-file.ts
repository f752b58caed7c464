/** Reads `NAME=value` lines as dotenv files have them. */

const assignment =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\r\n]*))/gms;
const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Later lines win. Comments and lines that are no assignment are skipped; a quoted value may span lines, and only a double-quoted one has escapes. */
export function parseEnvFile(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [, name, double, single, bare] of text.matchAll(assignment)) {
    const value =
      double?.replace(/\\(.)/gs, (_all, char: string) => escapes[char] ?? char) ??
      single ??
      (bare as string).replace(/(^|\s)#.*$/, "").trim();
    variables[name as string] = value;
  }
  return variables;
}

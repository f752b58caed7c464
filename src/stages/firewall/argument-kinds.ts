/**
 * What an argument is for, told from its name. A path, a host or an identifier has no use for shell syntax; prose and
 * code quote it all the time. Everything rests on this: the patterns alone would refuse every commit message.
 */

export type ArgumentKind = "atom" | "prose" | "code" | "unknown";

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/** Last words of names, lower case: `filePath` and `source_path` are a `path`. */
const atoms = words(
  "path paths file files filename filepath dir directory folder root cwd host hostname address ip domain port url uri " +
    "endpoint branch ref tag sha commit repo repository remote owner org user username account email id ids uuid slug key " +
    "name package pkg module version image container pod service bucket object table database db schema locale " +
    "encoding extension target destination dest source src location",
);
const prose = words(
  "description body summary content contents message messages prompt prompts comment comments title rationale context " +
    "notes note rollback ac acceptance criteria text texts question questions answer answers instruction instructions " +
    "reason subject caption headline abstract explanation thought thoughts observation observations reply response review " +
    "feedback markdown md story paragraph document documents doc docs topic goal task tasks input inputs html xml",
);
const code = words(
  "code script scripts source_code snippet command commands cmd shell bash args argv arguments sql query queries q search " +
    "statement expression expr formula regex regexp pattern patterns glob filter diff patch patches edits edit old new " +
    "function program cell javascript js python typescript css json yaml toml template jq xpath selector data payload " +
    "dockerfile makefile workflow cypher graphql mutation",
);

/** Two words that mean something else than their last one alone. */
const pairs: Readonly<Record<string, ArgumentKind>> = {
  "source code": "code",
  "old string": "code",
  "new string": "code",
  "file content": "prose",
  "search term": "prose",
  "commit message": "prose",
};

/** @param freeText names, lower case, that the operator counts as prose or code */
export function kindOfArgument(name: string, freeText: ReadonlySet<string>): ArgumentKind {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== "");
  if (freeText.has(name.toLowerCase())) return "code";
  const pair = pairs[parts.slice(-2).join(" ")];
  if (pair !== undefined) return pair;
  const last = parts.at(-1) ?? "";
  if (atoms.has(last)) return "atom";
  if (prose.has(last)) return "prose";
  return code.has(last) ? "code" : "unknown";
}

const plainWord = /^[("']?[A-Za-z][a-z'’]+[,.:;?!)"']{0,3}$/;
const proseWords = 5;
const documentChars = 1_024;

/** Whether the text of an argument with an unknown name is a document rather than a value: long, many lines, or sentences. */
export function isDocument(text: string): boolean {
  if (text.length > documentChars || text.split("\n", 4).length > 3) return true;
  let found = 0;
  for (const word of text.split(/\s+/)) if (plainWord.test(word) && ++found >= proseWords) return true;
  return false;
}

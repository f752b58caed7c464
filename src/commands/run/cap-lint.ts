import { type FileResult, lintFiles } from "../../capabilities/lint/lint-files.ts";
import type { Severity } from "../../capabilities/lint/rules.ts";
import { sarif } from "../../capabilities/lint/sarif.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { capabilityExtensions } from "../../runtime/embedded.ts";
import { isFile, readText } from "../../runtime/files.ts";
import { displayPath, resolve } from "../../runtime/paths.ts";
import { workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { filesBelow } from "../../runtime/watch.ts";
import type { CommandInput } from "../command.ts";

const shownFrom: Readonly<Record<string, readonly Severity[]>> = {
  info: ["pass", "warn", "fail"],
  warn: ["warn", "fail"],
  fail: ["fail"],
};

/** 2 when there is no file or one cannot be read, 1 when a rule fails. */
export async function run(input: CommandInput): Promise<number> {
  const texts = await readTexts(input.words);
  if (texts.size === 0) {
    await writeStderr(`No capability files in ${input.words.join(", ")}\n`);
    return 2;
  }
  const files = await lintFiles(texts);
  const format = input.text("format");
  const shown = shownFrom[input.text("severity") as string] as readonly Severity[];
  const filtered = files.map((file) => ({
    ...file,
    results: file.results.filter(({ severity }) => shown.includes(severity)),
  }));
  if (format === "sarif") await writeStdout(`${JSON.stringify(sarif(filtered), undefined, 2)}\n`);
  else if (format === "json")
    await writeStdout(`${JSON.stringify({ files: filtered, summary: summary(files) }, undefined, 2)}\n`);
  else await writeStdout(asText(filtered, files));
  if (files.some(({ error }) => error !== undefined)) return 2;
  return summary(files).fail > 0 ? 1 : 0;
}

async function readTexts(words: readonly string[]): Promise<Map<string, string>> {
  const cwd = workingDirectory();
  const texts = new Map<string, string>();
  for (const word of words) {
    const path = resolve(cwd, word);
    const paths = (await isFile(path)) ? [path] : (await filesBelow(path, capabilityExtensions)).sort();
    for (const each of paths) texts.set(displayPath(each, cwd), await readText(each, maxYamlBytes));
  }
  return texts;
}

function asText(shown: readonly FileResult[], all: readonly FileResult[]): string {
  const lines = shown.flatMap(({ file, capability, score, results, error }) => {
    if (error !== undefined) return [error];
    if (results.length === 0) return [];
    return [
      `${file} (${score.toFixed(2)})`,
      ...results.map(({ severity, rule, name, message, place }) => {
        const why = message === "" ? "" : `: ${message} (${file}:${place.line}:${place.column})`;
        return `  [${severity.toUpperCase()}] [${rule}] ${capability} - ${name}${why}`;
      }),
    ];
  });
  const { pass, warn, fail } = summary(all);
  return `${[...lines, `${all.length} file(s): ${pass} passed, ${warn} warning(s), ${fail} failed`].join("\n")}\n`;
}

function summary(files: readonly FileResult[]): Readonly<Record<Severity, number>> {
  const counts = { pass: 0, warn: 0, fail: 0 };
  for (const { results } of files) for (const { severity } of results) counts[severity] += 1;
  return counts;
}

/**
 * Writes the parts of README.md that are made from the source: `<!-- generated:NAME -->…<!-- /generated:NAME -->`.
 * `--check` writes nothing and fails when a part is stale.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import { settingsTables } from "../src/config/generate.ts";
import { errorCodes } from "../src/core/error-codes.ts";
import { dependencies, developmentDependencies } from "./dependencies.ts";

const readmePath = join(fileURLToPath(new URL("..", import.meta.url)), "README.md");

const parts: Readonly<Record<string, () => string | Promise<string>>> = {
  configuration: settingsTables,
  "error-codes": () =>
    table(
      ["Code", "Fault", "JSON-RPC", "HTTP", "Retry", "Meaning"],
      Object.entries(errorCodes).map(([code, entry]) => [
        `\`${code}\``,
        entry.fault,
        String(entry.rpc),
        String(entry.http),
        entry.retryable ? "yes" : "no",
        entry.meaning,
      ]),
    ),
  dependencies: () =>
    table(
      ["Package", "Version", "Used in", "Why"],
      [
        ...Object.entries(packageJson.dependencies).map(([name, version]) => {
          const { homes = [], reason } = dependencies[name] ?? { reason: "" };
          return [`\`${name}\``, version, homes.map((home) => `\`${home}\``).join(", "), reason];
        }),
        ...Object.entries(packageJson.devDependencies).map(([name, version]) => [
          `\`${name}\``,
          version,
          "development",
          developmentDependencies[name] ?? "",
        ]),
      ],
    ),
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

async function withGeneratedParts(text: string): Promise<string> {
  let result = text;
  for (const [name, generate] of Object.entries(parts)) {
    const [opening, closing] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
    const [from, to] = [result.indexOf(opening), result.indexOf(closing)];
    if (from < 0 || to < from) throw new Error(`README.md has no part "${name}": put ${opening}${closing} into it`);
    result = `${result.slice(0, from + opening.length)}\n${(await generate()).trim()}\n${result.slice(to)}`;
  }
  return result;
}

const readme = await readFile(readmePath, "utf8");
const fresh = await withGeneratedParts(readme);
if (fresh !== readme && process.argv.includes("--check")) {
  console.error("README.md is not what its sources say: run node deploy/with-bun.mjs deploy/generate.ts");
  process.exit(1);
}
if (fresh !== readme) await writeFile(readmePath, fresh);

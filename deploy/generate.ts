/**
 * Writes what is made from the source: the parts `<!-- generated:NAME -->…<!-- /generated:NAME -->` of README.md, and the
 * WebAssembly of src/. `--check` writes nothing and fails when something is stale.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main as assemble } from "assemblyscript/asc";
import packageJson from "../package.json" with { type: "json" };
import { settingsTables } from "../src/config/generate.ts";
import { errorCodes } from "../src/core/error-codes.ts";
import { dependencies, developmentDependencies } from "./dependencies.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

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

/** @param path of AssemblyScript, in the repository; `name` is what the module exports */
async function asTypeScript(path: string, name: string): Promise<string> {
  const source = await readFile(join(root, path), "utf8");
  let wasm = new Uint8Array(0);
  const options = ["--optimizeLevel=3", "--noAssert", "--runtime=stub", "--enable=simd", "--initialMemory=5"];
  const { error, stderr } = await assemble(["source.ts", "--outFile=source.wasm", ...options], {
    readFile: (name) => (name === "source.ts" ? source : null),
    writeFile: (_, contents) => {
      wasm = contents as Uint8Array<ArrayBuffer>;
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${path}: ${stderr}`);
  return `/** Made from ${path} by deploy/generate.ts. */\nexport const ${name} =\n  "${Buffer.from(wasm).toString("base64")}";\n`;
}

const files: Readonly<Record<string, (now: string) => Promise<string>>> = {
  "README.md": withGeneratedParts,
  "src/lib/text-survey/blocks-wasm.ts": () => asTypeScript("src/lib/text-survey/blocks.as", "blocksWasm"),
  "src/lib/word-places/places-wasm.ts": () => asTypeScript("src/lib/word-places/places.as", "placesWasm"),
};
for (const [name, generate] of Object.entries(files)) {
  const path = join(root, name);
  const now = await readFile(path, "utf8").catch(() => "");
  const fresh = await generate(now);
  if (fresh === now) continue;
  if (process.argv.includes("--check")) {
    console.error(`${name} is not what its sources say: run node deploy/with-bun.mjs deploy/generate.ts`);
    process.exitCode = 1;
  } else await writeFile(path, fresh);
}

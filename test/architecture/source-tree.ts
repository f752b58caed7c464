/** The source as data: files by path below `src/`, and what each of them imports. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Path below `src/`, with forward slashes → text. */
export type SourceTree = ReadonlyMap<string, string>;

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path below `src/` for relative specifiers; `undefined` for packages and `node:` modules. */
  readonly file: string | undefined;
  /** `static` runs the other module at load, `type` is erased, `lazy` is an `import()`. */
  readonly kind: "static" | "type" | "lazy";
}

export function readSourceTree(folder: string): SourceTree {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
  const sources = paths.filter((path) => path.endsWith(".ts")).sort();
  return new Map(sources.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

const commentOrString = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;

/** The text without comments; strings stay, so that specifiers can be read. */
export function withoutComments(text: string): string {
  return text.replace(commentOrString, (match) => (match.startsWith("/") ? "" : match));
}

/** The text without comments and without the contents of strings: what is left is code. */
export function codeOnly(text: string): string {
  return text.replace(commentOrString, (match) => (match.startsWith("/") ? "" : '""'));
}

const staticImport = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']/gm;
const lazyImport = /\bimport\(\s*["']([^"']+)["']/g;

export function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const [, type, specifier] of code.matchAll(staticImport))
    found.push({ specifier: specifier!, file: resolve(path, specifier!), kind: type ? "type" : "static" });
  for (const [, specifier] of code.matchAll(lazyImport))
    found.push({ specifier: specifier!, file: resolve(path, specifier!), kind: "lazy" });
  return found;
}

function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///src/${from}`).pathname.slice("/src/".length);
}

/** Name of the package a specifier belongs to: `hono/cors` → `hono`, `@a/b/c` → `@a/b`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** First folder of a path below `src/`; `main` for `main.ts`. */
export function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path.replace(/\.ts$/, "");
}

export function isSchema(path: string): boolean {
  return path.endsWith("/schema.ts");
}

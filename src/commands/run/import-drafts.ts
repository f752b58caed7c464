/**
 * `import preview` and `import apply`: what a document would become, and the same as drafts. A draft is off because it
 * lies where no configuration looks for capabilities; moving it there is the decision of whoever has read it.
 */
import type { CapabilityTexts } from "../../capabilities/import/capability-texts.ts";
import type { ImportKind } from "../../capabilities/import/import-document.ts";
import { maxCapabilities } from "../../capabilities/import/imported.ts";
import { parseDocument } from "../../capabilities/import/parse-document.ts";
import { ConfigError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { exists, resolveLinks } from "../../runtime/files.ts";
import { basename, dirname, displayPath, expandHome, join, relative, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { columns } from "./columns.ts";
import { configOf, readSource, textsOf, writeUnlessThere } from "./import-source.ts";

interface Read {
  readonly source: { readonly name: string; readonly kind: ImportKind; readonly file: string; readonly sha256: string };
  readonly texts: CapabilityTexts;
}

export async function runPreview(input: CommandInput): Promise<number> {
  const { source, texts } = await read(input);
  if (input.text("format") === "json") {
    const drafts = texts.files.map(({ name, text }) => ({ name, sha256: sha256Hex(text), yaml: text }));
    await writeStdout(`${JSON.stringify({ source, drafts, notes: texts.warnings }, undefined, 2)}\n`);
    return 0;
  }
  const rows = texts.files.map(({ name, text, description }) => [
    name,
    sha256Hex(text).slice(0, 12),
    escapeHidden(description.slice(0, 80)),
  ]);
  for (const line of columns([["NAME", "SHA-256", "DESCRIPTION"], ...rows])) await writeStdout(`${line}\n`);
  for (const note of texts.warnings) await writeStderr(`${note}\n`);
  return 0;
}

export async function runApply(input: CommandInput): Promise<number> {
  const cwd = workingDirectory();
  const { source, texts } = await read(input);
  const folder = join(resolve(cwd, expandHome(input.text("output") as string, environment())), source.name);
  await refuseLive(folder, input);
  const drafts = texts.files.map(({ name, text }) => ({ name, file: `${name}.yaml`, sha256: sha256Hex(text) }));
  const manifest = { version: 1, created_at: new Date().toISOString(), source, drafts, notes: texts.warnings };
  const files = [
    ...texts.files.map(({ name, text }) => ({ path: join(folder, `${name}.yaml`), text })),
    { path: join(folder, "manifest.json"), text: `${JSON.stringify(manifest, undefined, 2)}\n` },
  ];
  await writeUnlessThere(files, input.flag("force"));
  if (input.text("format") === "json") {
    await writeStdout(`${JSON.stringify({ folder, ...manifest }, undefined, 2)}\n`);
    return 0;
  }
  for (const note of texts.warnings) await writeStderr(`${note}\n`);
  for (const { path } of files) await writeStdout(`Created ${displayPath(path, cwd)}\n`);
  await writeStdout("Drafts are off: read them, then move them into a folder of capabilities.directories\n");
  return 0;
}

async function read(input: CommandInput): Promise<Read> {
  const [file, kind] = [input.text("file") as string, input.text("kind") as ImportKind | undefined];
  if (kind === undefined) throw new UsageError("--kind is missing: openapi, graphql or postman");
  const name =
    input.text("source-name") ??
    basename(file)
      .replace(/\.[^.]*$/, "")
      .replace(/[^\w.-]+/g, "-")
      .replace(/^\.+/, "");
  if (!/^\w[\w.-]{0,99}$/.test(name))
    throw new UsageError(
      `--source-name must be letters, digits, "_", "-" and "." and begin with no dot, not "${name}"`,
    );
  const text = await readSource(file);
  const options = {
    prefix: undefined,
    authKey: undefined,
    documentUrl: undefined,
    sourceName: name,
    maxCount: maxCapabilities,
  };
  const texts = await textsOf(await parseDocument(file, text), options, file, kind);
  return { source: { name, kind, file, sha256: sha256Hex(text) }, texts };
}

/** A draft in a folder that is watched would be a tool at once. */
async function refuseLive(folder: string, input: CommandInput): Promise<void> {
  const real = await realPath(folder);
  for (const directory of (await configOf(input)).capabilities.directories) {
    const way = relative(await realPath(directory), real);
    if (/^\.\.([\\/]|$)|^([A-Za-z]:|[\\/])/.test(way)) continue;
    const [at, live] = [folder, directory].map((path) => displayPath(path, workingDirectory()));
    throw new ConfigError(
      `"${at}" lies in "${live}", whose files are tools at once: choose another --output, or use "cap import"`,
    );
  }
}

/** With the links of as much of it as is there. */
async function realPath(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await exists(path)) ? resolveLinks(path) : join(await realPath(parent), basename(path));
}

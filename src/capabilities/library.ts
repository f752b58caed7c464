/**
 * The capabilities of the program and of the user's folders, as one set of tools. A folder may be read at any moment,
 * also while somebody writes into it, so a broken file keeps what it said before (F18).
 */

import { ConfigError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { maxYamlBytes } from "../lib/yaml-limits.ts";
import { capabilityExtensions, embeddedFiles } from "../runtime/embedded.ts";
import { FileTooLargeError, isMissing, readText } from "../runtime/files.ts";
import { relative } from "../runtime/paths.ts";
import { filesBelow } from "../runtime/watch.ts";
import type { Capability, ListedCapability } from "./capability.ts";
import type { CapabilityFile, LoadedFile } from "./load.ts";
import type { Webhook } from "./webhooks/webhook.ts";

export type Capabilities = ReadonlyMap<string, ListedCapability>;

/** Loaded when there is a file to read: the executable lists what is built in without it. */
const loader = () => import("./load.ts");

export interface LoadedLibrary {
  readonly tools: Capabilities;
  /** Each with a path of its own. */
  readonly webhooks: readonly Webhook[];
}

export interface Library {
  /** Reads everything that changed; what it gives is new and whole, what it gave before stays as it was. Never rejects for a bad file. */
  load(): Promise<LoadedLibrary>;
}

type FileContent = Pick<LoadedFile, "name" | "capability" | "webhooks">;

interface KnownFile {
  /** The text, or why it could not be read: what decides whether there is something new to say about the file. */
  readonly seen: string;
  /** From the newest version that was good. */
  readonly content: FileContent | undefined;
  readonly isPinned: boolean;
}

/**
 * @param directories later ones do not override earlier ones; a missing one is an empty one
 * @param hasServer whether there is a backend of that name; left out, nothing is said of those there are not
 */
export function createLibrary(
  directories: readonly string[],
  builtin: boolean,
  log: Logger,
  hasServer?: CapabilityFile["hasServer"],
): Library {
  let known: ReadonlyMap<string, KnownFile> = new Map();
  let builtins: Promise<Capabilities> | undefined;

  return {
    async load() {
      builtins ??= builtin ? loadBuiltins(log) : Promise.resolve(new Map());
      const tools = new Map(await builtins);
      const files = new Map<string, KnownFile>();
      const owners = new Map<string, string>();
      const webhooks = new Map<string, Webhook>();
      for (const path of await capabilityFiles(directories)) {
        const before = known.get(path);
        const file = await readFile(path, before, log, hasServer);
        if (file === undefined) continue;
        files.set(path, file);
        if (file.content === undefined) continue;
        const { name, capability } = file.content;
        const owner = owners.get(name);
        if (owner !== undefined) {
          if (file !== before)
            log.warn(`${path}  The capability "${name}" is defined by "${owner}" too, which is the one in use`);
          continue;
        }
        owners.set(name, path);
        const { isPinned } = file;
        if (capability !== undefined)
          tools.set(name, { ...capability, file: { path, isPinned }, load: async () => capability });
        for (const webhook of file.content.webhooks) {
          const other = webhooks.get(webhook.path);
          if (other === undefined) webhooks.set(webhook.path, webhook);
          else if (file !== before)
            log.warn(`${webhook.place}  The path "${webhook.path}" belongs to the webhook at ${other.place} already`);
        }
      }
      known = files;
      return { tools, webhooks: [...webhooks.values()] };
    },
  };
}

/** Each file once, in the order of the directories, then by path. Folders with a dot are left out: Kubernetes keeps the old version in one. */
async function capabilityFiles(directories: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const directory of directories)
    for (const path of (await filesBelow(directory, capabilityExtensions)).sort())
      if (!/(^|[\\/])\./.test(relative(directory, path))) found.add(path);
  return found;
}

async function readFile(
  path: string,
  before: KnownFile | undefined,
  log: Logger,
  hasServer: CapabilityFile["hasServer"],
): Promise<KnownFile | undefined> {
  let text: string;
  try {
    text = await readText(path, maxYamlBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    const seen = error instanceof FileTooLargeError ? error.message : `Cannot read "${path}": ${String(error)}`;
    if (seen === before?.seen) return before;
    log.warn(`${seen}; ${fate(before?.content)}`);
    return { seen, content: before?.content, isPinned: before?.isPinned ?? false };
  }
  if (text === before?.seen) return before;
  const content = await loadOrKeep({ path, content: { text }, hasServer }, before?.content, log);
  const isPinned = before?.isPinned === true || /^sha256:/m.test(text);
  // What was kept was good when it was read.
  if (!isPinned || content === before?.content) return { seen: text, content, isPinned };
  return { seen: text, content: (await isAsPinned(path, text, log)) ? content : undefined, isPinned };
}

/** A file that lost its pin is as suspect as one that differs from it: the next start, or a restart, believes it again. */
async function isAsPinned(path: string, text: string, log: Logger): Promise<boolean> {
  const { readPin } = await import("./pin.ts");
  const { expected, actual } = readPin(text);
  if (expected === actual) return true;
  const what = expected === undefined ? "lost its pin" : `is not what its pin says: ${actual} instead of ${expected}`;
  log.error(
    `RUG-PULL DETECTED: "${path}" ${what}; its tool is withdrawn until "mcp-gateway cap pin ${path}" or the old content`,
  );
  return false;
}

/** Of the executable its index alone; a definition is read when its tool is called, and then kept. */
async function loadBuiltins(log: Logger): Promise<Capabilities> {
  const { embeddedCapabilities } = await import("../runtime/embedded-capabilities.ts");
  const tools = new Map<string, ListedCapability>();
  if (embeddedCapabilities !== undefined) {
    const { index, definitions } = embeddedCapabilities;
    for (const { path, listed } of JSON.parse(index) as IndexEntry[]) {
      let loaded: Promise<Capability> | undefined;
      const load = () => (loaded ??= loadDefinition(path, definitions[path] as string));
      tools.set(listed.name, { ...listed, load });
    }
    return tools;
  }
  for (const [path, text] of await embeddedFiles("capabilities")) {
    const capability = (await loadOrKeep({ path, content: { text } }, undefined, log))?.capability;
    if (capability !== undefined) tools.set(capability.name, { ...capability, load: async () => capability });
  }
  return tools;
}

interface IndexEntry {
  readonly path: string;
  readonly listed: Omit<ListedCapability, "load">;
}

async function loadDefinition(path: string, json: string): Promise<Capability> {
  const { loadCapability } = await loader();
  const { capability } = await loadCapability({ path, content: { parsed: JSON.parse(json) } });
  // The build refused every file of which this could be said.
  if (capability === undefined) throw new Error(`The built-in capability "${path}" cannot be used`);
  return capability;
}

async function loadOrKeep(
  file: CapabilityFile,
  previous: FileContent | undefined,
  log: Logger,
): Promise<FileContent | undefined> {
  const { loadCapability } = await loader();
  try {
    const { warnings, ...content } = await loadCapability(file);
    for (const warning of warnings) log.warn(warning);
    return content.capability === undefined && content.webhooks.length === 0 ? undefined : content;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.warn(`${error.message}; ${fate(previous)}`);
    return previous;
  }
}

function fate(previous: FileContent | undefined): string {
  return previous === undefined ? "the file is left out" : "its previous version stays in use";
}

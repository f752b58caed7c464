/**
 * Pins on disk: what of each server's tools was approved, and what waits for approval. The gateway writes the pins, a
 * command or a request of an operator the approvals, each in a file of its own, so that neither can undo the other.
 */
import { parseExact } from "../../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { isMissing, listDirectory, modifiedAtMs, readText, writeAtomic } from "../../runtime/files.ts";
import { stableHash } from "../stable-hash.ts";
import type { DefinitionFinding } from "./poisoning.ts";

export interface HeldDefinition {
  readonly digest: string;
  readonly definition: JsonObject;
  /** Calendar time in milliseconds. */
  readonly seenAt: number;
  /** Empty for a definition that only changed. */
  readonly findings: readonly DefinitionFinding[];
}

export interface ToolPin {
  /** SHA-256 of the canonical JSON of what was approved; `undefined` when nothing ever was. */
  readonly digest?: string | undefined;
  readonly definition?: JsonObject | undefined;
  readonly pinnedAt?: number | undefined;
  /** What the server says now and nobody approved. */
  readonly held?: HeldDefinition | undefined;
}

export type ServerPins = Map<string, ToolPin>;

/** Whose pins they are: name, and hash of the definition; a server that is configured anew is a new one. */
export interface PinOwner {
  readonly name: string;
  readonly key: string;
}

export interface StoredPins {
  readonly owner: PinOwner;
  readonly pins: ServerPins;
  readonly approved: ReadonlySet<string>;
}

export interface PinStore {
  /** @throws the system's error, or an Error saying that the file is broken: what was pinned must not be forgotten quietly */
  load(owner: PinOwner): Promise<ServerPins>;
  /** Rejects with the system's error. */
  save(owner: PinOwner, pins: ServerPins): Promise<void>;
  /** Digests an operator approved, as `tool` + NUL + digest. */
  approved(owner: PinOwner): Promise<ReadonlySet<string>>;
  approve(owner: PinOwner, tool: string, digest: string): Promise<void>;
  /** Where {@link approve} writes. */
  approvalsPath(owner: PinOwner): string;
  /** Of each server those of its newest definition. */
  all(): Promise<StoredPins[]>;
}

const formatVersion = 1;
const maxFileBytes = 64 * 1_048_576;
const approvedSuffix = ".approved.json";

export function createPinStore(directory: string): PinStore {
  const baseOf = ({ name, key }: PinOwner) =>
    `${directory}/${name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 60)}-${stableHash(`${name}\0${key}`)}`;

  async function approved(owner: PinOwner): Promise<Set<string>> {
    const file = await readJson(`${baseOf(owner)}${approvedSuffix}`).catch(() => undefined);
    const list = isJsonObject(file) ? file["approved"] : undefined;
    return new Set(Array.isArray(list) ? list.filter((one) => typeof one === "string") : []);
  }

  return {
    async load(owner) {
      const file = await readJson(`${baseOf(owner)}.json`);
      return file === undefined ? new Map() : pinsIn(file, owner.name);
    },
    async save({ name, key }, pins) {
      const tools = Object.fromEntries(pins);
      const text = JSON.stringify({ version: formatVersion, server: name, key, tools });
      await writeAtomic(`${baseOf({ name, key })}.json`, text, { mode: 0o600 });
    },
    approved,
    async approve(owner, tool, digest) {
      const all = await approved(owner);
      all.add(approvalOf(tool, digest));
      const text = JSON.stringify({ version: formatVersion, server: owner.name, approved: [...all] });
      await writeAtomic(`${baseOf(owner)}${approvedSuffix}`, text, { mode: 0o600 });
    },
    approvalsPath: (owner) => `${baseOf(owner)}${approvedSuffix}`,
    async all() {
      const entries = await listDirectory(directory).catch(() => []);
      const newest = new Map<string, { readonly file: JsonObject; readonly atMs: number }>();
      for (const { name } of entries) {
        if (!name.endsWith(".json") || name.endsWith(approvedSuffix)) continue;
        const path = `${directory}/${name}`;
        const file = await readJson(path).catch(() => undefined);
        if (!isJsonObject(file) || typeof file["server"] !== "string" || typeof file["key"] !== "string") continue;
        const atMs = (await modifiedAtMs(path)) ?? 0;
        if (atMs >= (newest.get(file["server"])?.atMs ?? 0)) newest.set(file["server"], { file, atMs });
      }
      const found: StoredPins[] = [];
      for (const [name, { file }] of newest) {
        const owner = { name, key: String(file["key"]) };
        found.push({ owner, pins: pinsIn(file, name), approved: await approved(owner) });
      }
      return found;
    },
  };
}

export function approvalOf(tool: string, digest: string): string {
  return `${tool}\0${digest}`;
}

async function readJson(path: string): Promise<Json | undefined> {
  let text: string;
  try {
    text = await readText(path, maxFileBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return parseExact(text) as Json;
}

function pinsIn(file: Json, server: string): ServerPins {
  const tools = isJsonObject(file) && file["version"] === formatVersion ? file["tools"] : undefined;
  if (!isJsonObject(tools)) throw new Error(`The pins of server "${server}" cannot be read`);
  return new Map(
    Object.entries(tools).filter((entry): entry is [string, ToolPin & JsonObject] => isJsonObject(entry[1])),
  );
}

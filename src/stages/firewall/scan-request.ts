/** Looks for attacks in the arguments of a call. Loaded by the first call that has something to look at. */
import { globMatches } from "../../lib/glob.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { type ArgumentKind, isDocument, kindOfArgument } from "./argument-kinds.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { escapes } from "./path-climb.ts";
import { encodedBlob, memoryPattern, requestPatterns } from "./request-patterns.ts";
import type { FirewallSettings } from "./schema.ts";

/** Findings told of one call: what is wrong is clear by then. */
const maxFindings = 16;
const maxWhere = 120;

export interface RequestScan {
  readonly tool: string | undefined;
  readonly server: string;
  looksFor(kind: FindingKind): boolean;
}

export function createRequestScanner({ free_text_keys, memory_poisoning }: FirewallSettings) {
  const freeText = new Set(free_text_keys.map((key) => key.toLowerCase()));

  return function scanRequest(params: JsonObject, scan: RequestScan): Finding[] {
    const findings: Finding[] = [];
    const remembers =
      scan.looksFor("memory") && memory_poisoning.enabled && isMemory(scan, memory_poisoning.scan_tools);

    function add(finding: Finding): void {
      if (findings.length < maxFindings && scan.looksFor(finding.kind)) findings.push(finding);
    }

    function look(value: Json | undefined, kind: ArgumentKind, where: string): void {
      if (findings.length >= maxFindings) return;
      if (typeof value === "string") {
        lookAtText(value, kind, where.slice(0, maxWhere), add);
        if (remembers) lookAtMemory(value, where, memory_poisoning.max_entry_size_bytes, add);
      } else if (Array.isArray(value)) {
        for (const [at, item] of value.entries()) look(item, kind, `${where}[${at}]`);
      } else if (typeof value === "object" && value !== null) {
        // What lies inside a document belongs to it: the JSON body of a request, the blocks of a message.
        for (const [key, item] of Object.entries(value as JsonObject))
          look(item, kind === "prose" || kind === "code" ? kind : kindOfArgument(key, freeText), `${where}.${key}`);
      }
    }

    look(params["arguments"], "unknown", "arguments");
    if (typeof params["uri"] === "string") look(params["uri"], "atom", "uri");
    return findings;
  };
}

function lookAtText(text: string, kind: ArgumentKind, where: string, add: (finding: Finding) => void): void {
  if (kind === "code") return;
  const isDoubtful = kind === "unknown" && isDocument(text);
  const known = new Set<FindingKind>();
  // One of a kind says enough.
  for (const { pattern, ...found } of requestPatterns[kind])
    if (!known.has(found.kind) && pattern.test(text)) {
      known.add(found.kind);
      add({ ...found, severity: isDoubtful ? "medium" : found.severity, where });
    }
  if (kind !== "prose" && !known.has("path") && escapes(text))
    add({ kind: "path", rule: "traversal", severity: isDoubtful ? "medium" : "high", where });
}

function lookAtMemory(text: string, where: string, maxBytes: number, add: (finding: Finding) => void): void {
  if (memoryPattern.test(text)) add({ kind: "memory", rule: "model-control-tokens", severity: "high", where });
  // Characters are a lower bound of bytes, and a third of an upper one.
  const isLarge = text.length > maxBytes || (text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes);
  if (isLarge)
    add({
      kind: "memory",
      rule: encodedBlob.test(text) ? "large-entry-with-links" : "large-entry",
      severity: "medium",
      where,
    });
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** `store` means `store`, `store_memory` and `memoryStore`, not `restore`. */
function isMemory({ tool, server }: RequestScan, patterns: readonly string[]): boolean {
  if (tool === undefined) return false;
  const words = `_${tool
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")}_`;
  return patterns.some(
    (pattern) =>
      globMatches(pattern, tool) ||
      globMatches(pattern, `${server}:${tool}`) ||
      words.includes(`_${pattern.toLowerCase()}_`),
  );
}

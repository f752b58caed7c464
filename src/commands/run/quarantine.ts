/** Bodies of `quarantine list|show|approve`: on the state directory, whether or not a gateway runs. */
import { diffDefinitions } from "../../catalog/integrity/definition-diff.ts";
import { whyHeld } from "../../catalog/integrity/definition-guard.ts";
import {
  approvalOf,
  createPinStore,
  type HeldDefinition,
  type PinOwner,
  type PinStore,
  type ToolPin,
} from "../../catalog/integrity/pin-store.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, writeStderr, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";

interface HeldEntry {
  readonly owner: PinOwner;
  /** `server:tool` */
  readonly name: string;
  readonly tool: string;
  readonly pin: ToolPin;
  readonly held: HeldDefinition;
}

/** As much of a digest as tells definitions apart and can be read. */
const shownDigest = 16;

function storeOf({ global }: CommandInput): PinStore {
  return createPinStore(`${dataDirectory(global.dataDir, environment())}/pins`);
}

async function heldTools(store: PinStore): Promise<HeldEntry[]> {
  const entries: HeldEntry[] = [];
  for (const { owner, pins, approved } of await store.all())
    for (const [tool, pin] of pins)
      if (pin.held !== undefined && !approved.has(approvalOf(tool, pin.held.digest)))
        entries.push({ owner, tool, name: `${owner.name}:${tool}`, pin, held: pin.held });
  return entries;
}

function whyOf({ pin, held }: HeldEntry): string {
  return whyHeld({ findings: held.findings, approved: pin.definition });
}

export async function list(input: CommandInput): Promise<number> {
  const entries = await heldTools(storeOf(input));
  if (input.flag("json")) {
    const shown = entries.map((entry) => ({
      server: entry.owner.name,
      tool: entry.tool,
      why: whyOf(entry),
      since: new Date(entry.held.seenAt).toISOString(),
      findings: entry.held.findings,
      old_hash: entry.pin.digest ?? null,
      new_hash: entry.held.digest,
    }));
    await writeStdout(`${escapeHidden(JSON.stringify(shown, null, 2))}\n`);
    return 0;
  }
  if (entries.length === 0) await writeStdout("No tool is quarantined.\n");
  for (const entry of entries) await writeStdout(`${escapeHidden(`${entry.name}  ${whyOf(entry)}`)}\n`);
  return 0;
}

export async function show(input: CommandInput): Promise<number> {
  const name = input.text("tool") as string;
  const found = (await heldTools(storeOf(input))).filter((entry) => entry.name === name);
  for (const entry of found) {
    const { pin, held } = entry;
    const lines = [
      `${name} is quarantined since ${new Date(held.seenAt).toISOString()}: ${whyOf(entry)}`,
      ...(pin.definition === undefined ? ["It was never approved. Its definition:"] : ["What changed:"]),
      ...diffDefinitions(pin.definition, held.definition).map((line) => `  ${line}`),
      `Approve it with: mcp-gateway quarantine approve ${name} --digest ${held.digest.slice(0, shownDigest)}`,
    ];
    await writeStdout(`${lines.map(escapeHidden).join("\n")}\n`);
  }
  return found.length > 0 ? 0 : notHeld(name);
}

export async function approve(input: CommandInput): Promise<number> {
  const names = input.words;
  const digest = input.text("digest") ?? "";
  if (names.length === 0 && !input.flag("all")) throw new UsageError("Name a tool as server:tool, or pass --all");
  if (digest !== "" && (names.length !== 1 || input.flag("all")))
    throw new UsageError("--digest is of one tool: name that one, as server:tool");
  const store = storeOf(input);
  const entries = await heldTools(store);
  let failures = 0;
  for (const name of names)
    if (!entries.some((entry) => entry.name === name)) {
      await notHeld(name);
      failures++;
    }
  for (const { owner, tool, name, held } of entries) {
    if (!input.flag("all") && !names.includes(name)) continue;
    if (!held.digest.startsWith(digest)) {
      await writeStderr(
        `The definition of "${escapeHidden(name)}" changed again: look at it with "mcp-gateway quarantine show", then approve that\n`,
      );
      failures++;
      continue;
    }
    await store.approve(owner, tool, held.digest);
    await writeStdout(`Approved ${escapeHidden(name)}.\n`);
  }
  return failures === 0 ? 0 : 1;
}

async function notHeld(name: string): Promise<number> {
  await writeStderr(
    `No tool "${escapeHidden(name)}" is quarantined; "mcp-gateway quarantine list" shows those that are\n`,
  );
  return 1;
}

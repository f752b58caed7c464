/** A capability upstream over a scratch folder, with everything it says kept for the test. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type CapabilityUpstreamOptions,
  createCapabilityUpstream,
} from "../../src/capabilities/capability-upstream.ts";
import { type Logger, silentLogger } from "../../src/core/log.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";

export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async with(files: Readonly<Record<string, string>>): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), "capabilities-")));
    for (const [name, text] of Object.entries(files)) await folder.write(name, text);
    return folder;
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}

/** Keeps lines, and tells when there is one more. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  #heard: (() => void) | undefined;

  debug(): void {}
  info(): void {}
  warn(message: string): void {
    this.#keep(`warn ${message}`);
  }
  error(message: string): void {
    this.#keep(`error ${message}`);
  }
  with(): Logger {
    return this;
  }
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#heard = resolve;
    });
  }
  #keep(line: string): void {
    this.lines.push(line);
    this.#heard?.();
  }
}

export type Running = Upstream & AsyncDisposable;

export function upstreamOver(
  directories: readonly string[],
  options: Partial<CapabilityUpstreamOptions> = {},
): Running {
  const upstream = createCapabilityUpstream({
    name: "gateway",
    directories,
    builtin: false,
    env: {},
    stateDirectory: "/nowhere/at/all",
    ssrfProtection: false,
    log: silentLogger,
    events: {},
    watch: () => ({ close() {} }),
    clock: systemClock,
    ...options,
  });
  return Object.assign(upstream, { [Symbol.asyncDispose]: () => upstream.close(0) });
}

export async function listTools(upstream: Upstream): Promise<JsonObject[]> {
  const answer = await upstream.request({ method: "tools/list", params: undefined, signal: soon() });
  return answer.value["tools"] as unknown as JsonObject[];
}

export async function call(
  upstream: Upstream,
  name: string,
  args: JsonObject = {},
  signal: AbortSignal = soon(),
): Promise<{ text: string; isError: boolean; value: JsonObject }> {
  const { value } = await upstream.request({ method: "tools/call", params: { name, arguments: args }, signal });
  const content = Array.isArray(value["content"]) ? value["content"][0] : undefined;
  return { text: isJsonObject(content) ? String(content["text"]) : "", isError: value["isError"] === true, value };
}

export interface TryOptions extends Partial<CapabilityUpstreamOptions> {
  readonly args?: JsonObject;
}

/** Writes one capability, calls it once, and leaves nothing behind. */
export async function tryOnce(
  definition: JsonObject,
  { args = {}, ...options }: TryOptions = {},
): ReturnType<typeof call> {
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify({ description: "A tool", ...definition }) });
  const log = new KeptLog();
  await using upstream = upstreamOver([folder.path], { log, ...options });
  if ((await listTools(upstream)).length === 0) throw new Error(`The file was not loaded: ${log.lines.join("\n")}`);
  return await call(upstream, "tool", args);
}

/** A definition of service `rest` whose arguments are all declared as `types` says. */
export function rest(
  config: JsonObject,
  types: Readonly<Record<string, string>> = {},
  more: JsonObject = {},
): JsonObject {
  const properties = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  return {
    schema: { input: { type: "object", properties } },
    providers: { primary: { service: "rest", config } },
    ...more,
  };
}

function soon(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

import type { Json, JsonObject } from "../../lib/json.ts";
import { isTerminal, writeStdout } from "../../runtime/process.ts";
import { standardInput } from "../../runtime/stdio.ts";
import { type CommandInput, UsageError } from "../command.ts";
import {
  answerText,
  callOnce,
  capabilityDirectory,
  findCapability,
  parseArguments,
  readCapabilities,
} from "./capability-source.ts";

const maxInputBytes = 10_485_760;

/** Later layers win: standard input, `--args`, `KEY=VALUE`. */
export async function run(input: CommandInput): Promise<number> {
  const [name = "", ...pairs] = input.words;
  const capability = findCapability(
    await readCapabilities(capabilityDirectory(input.text("capabilities")), true),
    name,
  );
  const given = input.text("args");
  const args: JsonObject = {
    ...(await argumentsFromStdin()),
    ...(given === undefined ? {} : parseArguments("--args", given)),
    ...Object.fromEntries(pairs.map(readPair)),
  };
  const result = await callOnce(capability, args, input);
  await writeStdout(`${input.text("format") === "json" ? answerText(result) : plainText(result)}\n`);
  return 0;
}

async function argumentsFromStdin(): Promise<JsonObject> {
  if (isTerminal("stdin")) return {};
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of standardInput()) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxInputBytes) throw new UsageError(`Standard input is larger than ${maxInputBytes} bytes`);
  }
  const text = await new Blob(chunks as BlobPart[]).text();
  return text.trim() === "" ? {} : parseArguments("Standard input", text);
}

function readPair(pair: string): [string, Json] {
  const at = pair.indexOf("=");
  if (at < 1) throw new UsageError(`"${pair}" must be KEY=VALUE`);
  return [pair.slice(0, at), readValue(pair.slice(at + 1))];
}

/** JSON where it looks like it, text otherwise. */
function readValue(text: string): Json {
  if (!/^[[{]|^(true|false|null)$|^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** A text answer without the JSON around it. */
function plainText(result: JsonObject): string {
  const text = answerText(result);
  try {
    const { answer } = JSON.parse(text) as { answer?: unknown };
    return typeof answer === "string" ? answer : text;
  } catch {
    return text;
  }
}

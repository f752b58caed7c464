/** Body of `audit verify-result`: holds one result against what the gateway says of it, without a gateway. */
import { loadConfig } from "../../config/load.ts";
import { maxAnswerDepth } from "../../core/answer.ts";
import { ConfigError } from "../../core/errors.ts";
import {
  provenanceKey,
  type ResultSignature,
  receivedText,
  signatureKey,
  signedText,
} from "../../core/signed-result.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { parseExact } from "../../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject, nestsDeeper } from "../../lib/json.ts";
import { equalDigests, hmacSha256Hex, sha256, sha256Hex } from "../../runtime/digest.ts";
import { readText } from "../../runtime/files.ts";
import { environment, environmentVariable, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";

const maxFileBytes = 256 * 1_048_576;
const receiptKeyVariable = "GATEWAY_ATTESTATION_SIGNING_KEY";

/** What was found out of one statement; `unproved` is what anybody could have written. */
interface Finding {
  readonly is: "proved" | "unproved" | "wrong";
  readonly text: string;
}

const marks = { proved: "✓", unproved: "·", wrong: "✗" } as const;
/** Whoever gives one of these wants a signature: somebody on the way may have taken it off. */
const signatureOptions = ["tool", "nonce", "secret"];

export async function run(input: CommandInput): Promise<number> {
  const result = await readResult(input.text("file") as string);
  const meta = isJsonObject(result["_meta"]) ? result["_meta"] : {};
  const { [signatureKey]: signature, [provenanceKey]: receipt } = meta;
  const findings: Finding[] = [];
  if (signature !== undefined) findings.push(await checkSignature(signature, result, input));
  else if (signatureOptions.some((option) => input.text(option) !== undefined))
    findings.push(wrong("The result has no signature"));
  if (receipt !== undefined) findings.push(checkReceipt(receipt, result));
  if (findings.length === 0) findings.push(wrong("The result has neither a signature nor a receipt"));
  for (const { is, text } of findings)
    await (is === "wrong" ? writeStderr : writeStdout)(`${marks[is]} ${escapeHidden(text)}\n`);
  const isProved = findings.some(({ is }) => is === "proved") && findings.every(({ is }) => is !== "wrong");
  return isProved ? 0 : 1;
}

/** A result as it came, alone or in its JSON-RPC response. */
async function readResult(path: string): Promise<JsonObject> {
  let value: unknown;
  try {
    value = parseExact(await readText(path, maxFileBytes));
  } catch (error) {
    throw new ConfigError(`Cannot read a result from "${path}": ${(error as Error).message}`, { cause: error });
  }
  const result = isJsonObject(value) && value["jsonrpc"] === "2.0" ? value["result"] : value;
  if (isJsonObject(result) && !nestsDeeper(result, maxAnswerDepth)) return result;
  throw new ConfigError(`"${path}" holds no result of a tool: it must be one JSON object, as the client got it`);
}

async function checkSignature(found: Json, result: JsonObject, input: CommandInput): Promise<Finding> {
  const signature = readSignature(found);
  if (signature === undefined) return wrong(`"${signatureKey}" is not a signature`);
  const { nonce, ts, key_id, sig, previous_sig } = signature;
  const wanted = input.text("nonce");
  if (wanted !== undefined && wanted !== nonce)
    return wrong(`The result answers another call: its nonce is "${nonce}"`);
  const { server, tool, name } = toolOf(input);
  const secret = await secretOf(input);
  const mac = hmacSha256Hex(secret, signedText({ server, tool, nonce, ts, key_id }, result));
  const isCurrent = equalTexts(mac, sig);
  if (!isCurrent && (previous_sig === undefined || !equalTexts(mac, previous_sig)))
    return wrong(
      `The signature is wrong: the key is another one, or this is not what the gateway answered for ${name}`,
    );
  const key = isCurrent ? `key "${key_id}"` : `the key before "${key_id}"`;
  return {
    is: "proved",
    text: `Signature verified (${key}): the result of ${name} for nonce "${nonce}", signed ${isoTime(ts)}`,
  };
}

function readSignature(value: Json): ResultSignature | undefined {
  if (!isJsonObject(value) || value["alg"] !== "HS256" || !Number.isSafeInteger(value["ts"])) return undefined;
  const { previous_sig } = value;
  const isText = (key: string) => typeof value[key] === "string";
  if (!["nonce", "key_id", "sig"].every(isText) || (previous_sig !== undefined && !isText("previous_sig")))
    return undefined;
  return value as unknown as ResultSignature;
}

function checkReceipt(receipt: Json, result: JsonObject): Finding {
  if (!isJsonObject(receipt)) return wrong(`"${provenanceKey}" is not a receipt`);
  if (receipt["response_sha256"] !== sha256Hex(receivedText(result)))
    return wrong("The receipt is of another result: its response_sha256 does not fit");
  const { sig, ...rest } = receipt;
  const about = `${String(receipt["server"])}:${String(receipt["tool"])}, ${String(receipt["time"])}, request ${String(receipt["request_id"])}`;
  const key = environmentVariable(receiptKeyVariable) ?? "";
  if (key === "")
    return { is: "unproved", text: `Receipt fits the result; only with ${receiptKeyVariable} is it proved: ${about}` };
  if (sig === undefined) return wrong("The receipt is not signed");
  if (!equalTexts(hmacSha256Hex(key, canonicalJson(rest)), String(sig)))
    return wrong("The signature of the receipt is wrong: it was changed, or the key is another one");
  return { is: "proved", text: `Receipt verified: ${about}` };
}

function toolOf(input: CommandInput): { server: string; tool: string; name: string } {
  const name = input.text("tool") ?? "";
  const colon = name.indexOf(":");
  if (colon < 1 || colon === name.length - 1)
    throw new UsageError("--tool must be the tool that was called, as server:tool: it is a part of what is signed");
  return { server: name.slice(0, colon), tool: name.slice(colon + 1), name };
}

/** That of the option, else that of the configuration. */
async function secretOf({ text, global }: CommandInput): Promise<string> {
  const env = environment();
  let written = text("secret");
  if (written === undefined) {
    const { config } = await loadConfig({
      path: global.config,
      env,
      cwd: workingDirectory(),
      overrides: global.overrides,
    });
    written = config.security.message_signing.shared_secret;
  }
  const variable = /^env:(.+)$/.exec(written)?.[1];
  const secret = variable === undefined ? written : (env[variable] ?? "");
  if (secret !== "") return secret;
  throw new ConfigError(
    variable === undefined
      ? "There is no key to verify with: give --secret env:VAR, or set security.message_signing.shared_secret"
      : `The environment variable "${variable}", which is to hold the key, is not set`,
  );
}

function equalTexts(a: string, b: string): boolean {
  return equalDigests(sha256(a), sha256(b));
}

function isoTime(seconds: number): string {
  const time = new Date(seconds * 1_000);
  return Number.isNaN(time.getTime()) ? `at ${seconds}` : time.toISOString();
}

function wrong(text: string): Finding {
  return { is: "wrong", text };
}

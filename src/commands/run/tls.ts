/** The bodies of `tls`: an authority is never overwritten, what it issued may be, which is how it is renewed. */
import { ConfigError } from "../../core/errors.ts";
import { exists, readText, writeAtomic } from "../../runtime/files.ts";
import {
  type CertificateRequest,
  createAuthority,
  type IssuedPair,
  issueCertificate,
} from "../../runtime/issue-certificate.ts";
import { join } from "../../runtime/paths.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { sayDone } from "./say-done.ts";

const secretMode = 0o600;
const maxBytes = 1_048_576;
const mostDays = 36_500;

export async function initCa(input: CommandInput): Promise<number> {
  const path = join(required(input, "output"), "ca");
  for (const file of [`${path}.crt`, `${path}.key`])
    if (await exists(file))
      throw new ConfigError(
        `"${file}" exists already, and what it signed would be worth nothing without it: remove it, or choose another folder with --output`,
      );
  const pair = createAuthority({ commonName: required(input, "cn"), validityDays: daysOf(input) });
  await write(path, pair);
  return 0;
}

export async function issueServer(input: CommandInput): Promise<number> {
  const commonName = required(input, "cn");
  const more = (input.text("san-dns") ?? "").split(",").map((name) => name.trim());
  const hosts = [...new Set([commonName, ...more])].filter((name) => name !== "");
  await issue("server", "server", { commonName, hosts, validityDays: daysOf(input) }, input);
  return 0;
}

export async function issueClient(input: CommandInput): Promise<number> {
  const commonName = required(input, "cn");
  const uri = input.text("spiffe-uri");
  if (uri !== undefined && !/^spiffe:\/\/[^/\s]+\/\S+$/.test(uri))
    throw new UsageError(`--spiffe-uri must be like spiffe://domain/path, not "${uri}"`);
  // A name is no path.
  const file = commonName.replace(/[\s/\\]/g, "-").replace(/^\.+/, "");
  if (file === "") throw new UsageError(`--cn must have a letter or a digit, not "${commonName}"`);
  const request = { commonName, unit: input.text("ou"), uri, validityDays: daysOf(input) };
  await issue("client", file, request, input);
  return 0;
}

async function issue(
  purpose: "server" | "client",
  name: string,
  request: CertificateRequest,
  input: CommandInput,
): Promise<void> {
  const [certPath, keyPath] = [required(input, "ca-cert"), required(input, "ca-key")];
  const cert = await read(certPath);
  const key = await read(keyPath);
  let pair: IssuedPair;
  try {
    pair = issueCertificate(purpose, request, { cert, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`Cannot issue a certificate with "${certPath}" and "${keyPath}": ${reason}`, {
      cause: error,
    });
  }
  await write(join(required(input, "output"), name), pair);
}

async function write(path: string, { cert, key }: IssuedPair): Promise<void> {
  try {
    await writeAtomic(`${path}.key`, key, { mode: secretMode });
    await writeAtomic(`${path}.crt`, cert);
  } catch (error) {
    throw new ConfigError(`Cannot write "${path}.crt" and "${path}.key": ${(error as Error).message}`, {
      cause: error,
    });
  }
  await sayDone(`Created ${path}.crt and ${path}.key`);
}

async function read(path: string): Promise<string> {
  try {
    return await readText(path, maxBytes);
  } catch (error) {
    throw new ConfigError(
      `Cannot read "${path}": ${(error as Error).message}. "mcp-gateway tls init-ca" makes an authority; --ca-cert and --ca-key name another`,
      { cause: error },
    );
  }
}

function required(input: CommandInput, name: string): string {
  const value = input.text(name);
  if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

function daysOf(input: CommandInput): number {
  const text = required(input, "validity-days");
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > mostDays)
    throw new UsageError(`--validity-days must be a whole number from 1 to ${mostDays}, not "${text}"`);
  return days;
}

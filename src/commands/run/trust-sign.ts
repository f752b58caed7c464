/** Bodies of `trust keygen|sign-backend`: what they print goes into `security.remote_server_signing`. */
import { backendSecrets } from "../../config/backend-secrets.ts";
import { loadConfig } from "../../config/load.ts";
import { replicasOf } from "../../config/replicas.ts";
import type { BackendConfig } from "../../config/schema.ts";
import { remoteAddressesOf, serverStatement } from "../../config/server-signing/server-statement.ts";
import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import type { JsonObject } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { newSigningPair, signEd25519 } from "../../runtime/ed25519.ts";
import { exists, readText, writeAtomic } from "../../runtime/files.ts";
import { expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

const maxKeyBytes = 65_536;

export async function keygen(input: CommandInput): Promise<number> {
  const path = pathOf(input, "output");
  if (await exists(path))
    throw new ConfigError(
      `"${path}" exists already, and what it signed would be worth nothing without it: remove it, or choose another --output`,
    );
  const { privateKey, publicKey } = newSigningPair();
  await writeAtomic(path, privateKey, { mode: 0o600 });
  await writeStderr(`Created ${path}. Keep it away from the gateway, and put this into the configuration:\n`);
  await writeSection({
    trusted_keys: { [input.text("key-id") as string]: { algorithm: "ed25519", public_key: publicKey } },
  });
  return 0;
}

export async function signBackend(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const keyId = input.text("key-id") as string;
  // It is what is not signed yet that is to be read.
  const unsigned = {
    path: ["security", "remote_server_signing", "require_for_remote_backends"],
    value: false,
    from: "sign-backend",
  };
  const { config: path, overrides = [] } = input.global;
  const [env, cwd] = [environment(), workingDirectory()];
  const { config } = await loadConfig({ path, env, cwd, overrides: [...overrides, unsigned] });
  const backends = Object.values(config.backends);
  const addresses = new Map(backends.flatMap((backend) => [...remoteAddressesOf(backend)]));
  const address = addresses.get(name);
  if (address === undefined) {
    const isLocal = Object.hasOwn(config.backends, name) && config.backends[name]?.replicas === undefined;
    throw new ConfigError(
      isLocal
        ? `Backend "${name}" is on this machine: only backends over HTTP, WebSocket or A2A are signed`
        : `There is no remote backend "${name}"${suggestion(name, [...addresses.keys()])}`,
    );
  }
  const about = {
    subject: input.text("subject") ?? name,
    issuer: input.text("issuer") ?? keyId,
    issued_at: new Date().toISOString(),
  };
  const signature = sign(
    pathOf(input, "key"),
    await readKey(pathOf(input, "key")),
    serverStatement(name, address, about),
  );
  const { redact } = new Redactor(backends.flatMap(allSecrets));
  await writeStderr(`Signed: "${name}" is ${redact(address.url)}. Put this into the configuration:\n`);
  await writeSection({ backends: { [name]: { ...about, key_id: keyId, signature } } });
  return 0;
}

function allSecrets(backend: BackendConfig): string[] {
  return [backend, ...replicasOf(backend).map((replica) => replica.backend)].flatMap(backendSecrets);
}

async function readKey(path: string): Promise<string> {
  try {
    return await readText(path, maxKeyBytes);
  } catch (error) {
    throw new ConfigError(
      `Cannot read "${path}": ${(error as Error).message}. "mcp-gateway trust keygen" makes a key`,
      {
        cause: error,
      },
    );
  }
}

function sign(path: string, key: string, text: string): string {
  try {
    return signEd25519(key, text);
  } catch (error) {
    throw new ConfigError(`"${path}" cannot sign: it must be an Ed25519 private key as PEM`, { cause: error });
  }
}

async function writeSection(section: JsonObject): Promise<void> {
  await writeStdout(await yamlText({ security: { remote_server_signing: section } }));
}

function pathOf(input: CommandInput, option: string): string {
  return resolve(workingDirectory(), expandHome(input.text(option) as string, environment()));
}

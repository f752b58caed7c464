/** Rules about `security.remote_server_signing`, loaded for the files that use it. */
import { suggestion } from "../../lib/did-you-mean.ts";
import { isPublicKey, verifyEd25519 } from "../../runtime/ed25519.ts";
import type { Environment } from "../../runtime/process.ts";
import { type Findings, finishBackend } from "../backends.ts";
import type { Path } from "../path.ts";
import type { ParsedConfig } from "../schema.ts";
import { type RemoteAddress, remoteAddressesOf, serverStatement } from "./server-statement.ts";

/** Where signatures are required a wrong one is a problem, elsewhere a warning. */
export function checkServerSignatures({ backends, security }: ParsedConfig, env: Environment, found: Findings): void {
  const {
    require_for_remote_backends: isRequired,
    trusted_keys,
    backends: signatures,
  } = security.remote_server_signing;
  const section: Path = ["security", "remote_server_signing"];
  const wrong = isRequired ? found.problems : found.warnings;

  function check(name: string, backend: string, address: RemoteAddress): void {
    const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined;
    if (signature === undefined) {
      if (!isRequired) return;
      const text = `needs a signature of "${name}" for ${address.transport}, which "security.remote_server_signing" requires: "mcp-gateway trust sign-backend" makes one`;
      found.problems.push({ path: ["backends", backend], text });
      return;
    }
    const path: Path = [...section, "backends", name];
    const key = Object.hasOwn(trusted_keys, signature.key_id) ? trusted_keys[signature.key_id] : undefined;
    if (key === undefined) {
      const text = `names "${signature.key_id}", which "trusted_keys" does not have${suggestion(signature.key_id, Object.keys(trusted_keys))}`;
      wrong.push({ path: [...path, "key_id"], text });
    } else if (
      isPublicKey(key.public_key) &&
      !verifyEd25519(key.public_key, serverStatement(name, address, signature), signature.signature)
    )
      wrong.push({
        path: [...path, "signature"],
        text: `is not that of the key "${signature.key_id}" for this backend: its address or what is said of it changed since it was signed`,
      });
  }

  for (const [id, { public_key }] of Object.entries(trusted_keys))
    if (!isPublicKey(public_key))
      found.problems.push({
        path: [...section, "trusted_keys", id, "public_key"],
        text: "must be an Ed25519 key in base64: its 32 bytes, or its DER form",
      });
  const known = new Set<string>();
  for (const [backend, parsed] of Object.entries(backends))
    for (const [name, address] of remoteAddressesOf(finishBackend(backend, parsed, env))) {
      known.add(name);
      if (parsed.enabled) check(name, backend, address);
    }
  for (const name of Object.keys(signatures))
    if (!known.has(name)) {
      const text = `is for no remote backend: "${name}" is not there${suggestion(name, [...known])}`;
      found.warnings.push({ path: [...section, "backends", name], text });
    }
}

/** Reads a key from where it is kept, for every call anew, so that a renewed one needs no restart. */
import { isJsonObject } from "../lib/json.ts";
import { readText } from "../runtime/files.ts";
import { expandHome } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import type { KeySource } from "./key-source.ts";

const maxKeyFileBytes = 65_536;

export interface FoundSecret {
  /** `undefined` when there is none. */
  readonly secret: string | undefined;
  /** Why there is none, without a full stop. */
  readonly missing: string;
}

export async function readSecret(
  source: Exclude<KeySource, { from: "oauth" }>,
  env: Environment,
  signal: AbortSignal,
): Promise<FoundSecret> {
  switch (source.from) {
    case "environment":
      return { secret: env[source.name] || undefined, missing: `the environment variable "${source.name}" is not set` };
    case "file":
      return {
        secret: await keyInFile(source.path, source.field, env),
        missing: `"${source.path}" has no text at "${source.field}"`,
      };
    case "keychain": {
      const { readKeychain } = await import("./keychain.ts");
      return {
        secret: await readKeychain(source.name, env, signal),
        missing: `the keychain has no item "${source.name}"`,
      };
    }
  }
}

async function keyInFile(path: string, field: string, env: Environment): Promise<string | undefined> {
  try {
    let value: unknown = JSON.parse(await readText(expandHome(path, env), maxKeyFileBytes));
    for (const part of field.split("."))
      value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    // The cause may quote the content of the file.
    return undefined;
  }
}

/**
 * What was imported, as the texts of files. Each is held to what every capability file is held to, and to the rules
 * against tool poisoning: a document from anywhere becomes what a model reads.
 */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import type { Capability } from "../capability.ts";
import { usesKey } from "../key-source.ts";
import { lintFiles } from "../lint/lint-files.ts";
import { loadCapability } from "../load.ts";
import { originOf } from "../read-provider.ts";
import { isSetting, placeholdersIn } from "../template.ts";
import type { Imported } from "./imported.ts";

export interface CapabilityText {
  readonly name: string;
  readonly description: string;
  /** YAML. */
  readonly text: string;
}

export interface CapabilityTexts {
  readonly files: readonly CapabilityText[];
  /** What is left out or hard to use, and why. */
  readonly warnings: readonly string[];
}

/** Of all texts together: a short document of references can stand for a long one (T15). */
const maxCharacters = 32 * maxYamlBytes;
const maxDescription = 1_000;

export async function capabilityTexts(capabilities: readonly Imported[]): Promise<CapabilityTexts> {
  const files: CapabilityText[] = [];
  const warnings: string[] = [];
  let left = maxCharacters;
  const ways = new Set<string>();
  for (const { name, definition, variables } of capabilities) {
    // A gateway answers others meanwhile.
    await new Promise<void>((resolve) => setTimeout(resolve));
    try {
      const cleaned = new Cleaner().clean(definition) as JsonObject;
      assertOwnSettings(cleaned["providers"], variables);
      const text = await yamlText(cleaned);
      left -= text.length;
      if (left < 0) throw new ConfigError(`All files together would have more than ${maxCharacters} characters`);
      const { capability } = await loadCapability({ path: `${name}.yaml`, content: { text } });
      const faults = await lintFaults(name, text);
      const poison = faults.find(({ rule }) => rule === "AX-010");
      if (poison !== undefined) throw new ConfigError(poison.message);
      for (const { rule, message } of faults) warnings.push(`"${name}" is hard to use [${rule}]: ${message}`);
      files.push({ name, description: String(cleaned["description"]), text });
      for (const way of capability === undefined ? [] : waysOfKeys(capability)) ways.add(way);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      warnings.push(`"${name}" is left out: ${error.message}`);
    }
  }
  return { files, warnings: [...warnings, ...ways] };
}

/** A placeholder that came with the document would send what the operator never meant for it. */
function assertOwnSettings(providers: Json | undefined, variables: readonly string[]): void {
  const own = variables.map((name) => `env.${name}`);
  const strange = placeholdersIn(JSON.stringify(providers ?? {})).find(
    (name) => isSetting(name) && !own.includes(name),
  );
  if (strange !== undefined) throw new ConfigError(`It has "{${strange}}" in it, which only an operator may write`);
}

/** The document decides where requests go and what the key is called: whoever imports it is told. */
function waysOfKeys({ providers }: Capability): string[] {
  return providers.flatMap(({ auth, action }) =>
    usesKey(auth)
      ? [originOf({ action }), auth.token_endpoint].flatMap((place) =>
          place === undefined ? [] : [`The key "${auth.key}" is sent to ${place}`],
        )
      : [],
  );
}

async function lintFaults(name: string, text: string) {
  const [result] = await lintFiles(new Map([[`${name}.yaml`, text]]));
  return (result?.results ?? []).filter(({ severity }) => severity === "fail");
}

/** Invisible characters come into descriptions by copying; in anything else they are a reason to refuse. */
const invisible = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\u001b]/gu;

class Cleaner {
  #left = maxYamlBytes;

  clean(value: Json, key = ""): Json {
    this.#spend(8);
    if (typeof value === "string") {
      const kept = key === "description" ? value.slice(0, maxDescription).toWellFormed().replace(invisible, "") : value;
      this.#spend(kept.length);
      return kept;
    }
    if (Array.isArray(value)) return value.map((item: Json) => this.clean(item));
    if (!isJsonObject(value)) return value;
    const entries = Object.entries(value as JsonObject).flatMap(([name, inner]) => {
      this.#spend(name.length);
      return inner === undefined ? [] : [[name, this.clean(inner, name)] as const];
    });
    return Object.fromEntries(entries);
  }

  #spend(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw new ConfigError(`It would be larger than ${maxYamlBytes} bytes`);
  }
}

/** What importing servers would write: the text of the configuration, and that of the env file their secrets go to. */
import { addBackend, addEnvFile } from "../config/edit.ts";
import { parseEnvFile } from "../config/env-file.ts";
import { expandVariables } from "../config/expand.ts";
import { readSettings } from "../config/load.ts";
import type { Settings } from "../config/path.ts";
import { GatewayError } from "../core/errors.ts";
import type { Environment } from "../runtime/process.ts";
import { type FoundServer, isSameServer, textsOf, writtenServers } from "./found-server.ts";
import { missingVariables } from "./needed-variables.ts";
import { SecretVariables } from "./secret-variables.ts";

export interface ImportRequest {
  /** The configuration as it is. */
  readonly text: string;
  readonly label: string;
  readonly servers: readonly FoundServer[];
  /** What the references of the configuration stand for. */
  readonly env: Environment;
  /** Where secrets go: its name beside the configuration and its text as it is; `undefined` leaves them in the entries. */
  readonly envFile: { readonly name: string; readonly text: string } | undefined;
}

export interface ImportPlan {
  readonly text: string;
  /** `undefined` when it need not be written. */
  readonly envText: string | undefined;
  readonly added: readonly FoundServer[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Names of the variables that hold what was taken out of the entries. */
  readonly variables: readonly string[];
}

/** @throws ConfigError when the configuration cannot be read or edited */
export async function planImport(request: ImportRequest): Promise<ImportPlan> {
  const { label, servers, envFile } = request;
  let { text } = request;
  const written = await readSettings(text, label);
  const env = { ...request.env, ...parseEnvFile(envFile?.text ?? "") };
  const backends = expandVariables(written["backends"], env, () => {});
  const existing = writtenServers(backends);
  const variables = new SecretVariables((name) => parseEnvFile(envFile?.text ?? "")[name]);
  const added: FoundServer[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const server of servers) {
    const as = existing.find(([, entry]) => isSameServer(entry, server.entry))?.[0];
    if (existing.some(([name]) => name === server.name)) {
      skipped.push({ name: server.name, reason: "already in config" });
      continue;
    }
    if (as !== undefined) {
      skipped.push({ name: server.name, reason: `already in config as '${as}'` });
      continue;
    }
    const whole = { ...server, entry: withInherited(server.entry, env) };
    const entry = envFile === undefined ? whole.entry : variables.takeOut(server.name, whole.entry);
    try {
      text = await addBackend(text, label, server.name, entry);
      added.push({ ...server, entry });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      skipped.push({ name: server.name, reason: error.message });
    }
  }
  const names = [...variables.values.keys()];
  if (envFile === undefined || names.length === 0) return { text, envText: undefined, added, skipped, variables: [] };
  text = await addEnvFile(text, label, envFile.name);
  return { text, envText: withVariables(envFile.text, variables.values), added, skipped, variables: names };
}

/** What the client's environment gave to the server is named, where we know of it. */
function withInherited(entry: Settings, env: Environment): Settings {
  const inherited = missingVariables(entry).filter((name) => env[name] !== undefined);
  if (inherited.length === 0) return entry;
  const named = Object.fromEntries(inherited.map((name) => [name, `\${${name}}`]));
  return { ...entry, env: { ...textsOf(entry["env"]), ...named } };
}

/** The env file with those variables that it does not have yet. */
function withVariables(text: string, values: ReadonlyMap<string, string>): string {
  const present = parseEnvFile(text);
  const lines = [...values].filter(([name]) => present[name] === undefined).map(assignment);
  const head =
    text === ""
      ? "# Secrets of the servers behind the gateway. Keep this file to yourself and out of version control.\n"
      : "";
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${head}${text}${gap}${lines.join("")}`;
}

function assignment([name, value]: readonly [string, string]): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${name}="${escaped}"\n`;
}

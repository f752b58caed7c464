/**
 * What servers that clients reach past the gateway mean: who vouches for them, what they can reach, what lies open, and
 * what to do. Read from settings alone: nothing is started and nothing is asked.
 */
import type { Settings } from "../config/path.ts";
import { commandWords, entrySecrets, entryUrl, type FoundServer, isLoopback } from "./found-server.ts";
import { knownServers } from "./known-servers.ts";
import { packageOf } from "./needed-variables.ts";

export interface ShadowFinding {
  /** Stable: client and name. */
  readonly id: string;
  readonly name: string;
  readonly severity: "low" | "medium" | "high";
  readonly sources: readonly string[];
  /** `known` is a server that is known by name, whoever installed it. */
  readonly trust: "known" | "unknown";
  readonly transport: "stdio" | "http";
  readonly auth_exposure: "none" | "reference" | "plaintext_secret" | "plaintext_transport";
  /** By what the server is for; `unknown` where that is not known. */
  readonly data_risk: "low" | "high" | "unknown";
  readonly remediation: "adopt_into_gateway" | "quarantine" | "request_owner";
}

const riskyCategories = ["filesystem", "database", "dev-tools", "cloud", "communication", "productivity", "finance"];

export function shadowFinding({ name, entry, sources }: FoundServer): ShadowFinding {
  const known = knownServerOf(entry);
  const url = URL.parse(entryUrl(entry) ?? "");
  const exposure = exposureOf(entry, url);
  const risk = known === undefined ? "unknown" : riskyCategories.includes(known.category) ? "high" : "low";
  return {
    id: `${sources[0]?.title ?? "unknown"}:${name}`.toLowerCase().replaceAll(" ", "-"),
    name,
    severity: severityOf(exposure, risk),
    sources: sources.map(({ title, path }) => `${title} (${path})`),
    trust: known === undefined ? "unknown" : "known",
    transport: url === null ? "stdio" : "http",
    auth_exposure: exposure,
    data_risk: risk,
    remediation:
      exposure === "plaintext_transport"
        ? "quarantine"
        : known === undefined && url !== null && !isLoopback(url)
          ? "request_owner"
          : "adopt_into_gateway",
  };
}

function knownServerOf(entry: Settings) {
  const url = entryUrl(entry);
  const name = packageOf(commandWords(entry));
  return Object.values(knownServers).find(({ command, http_url: known }) =>
    command === undefined ? known === url : name !== undefined && packageOf(command.split(" ")) === name,
  );
}

function exposureOf(entry: Settings, url: URL | null): ShadowFinding["auth_exposure"] {
  const secrets = entrySecrets(entry).filter((secret) => !secret.includes("${") && secret.length > 3);
  const names = JSON.stringify([entry["env"], entry["headers"], entry["command"]]).includes("${");
  if (url?.protocol === "http:" && !isLoopback(url)) return "plaintext_transport";
  if (secrets.length > 0) return "plaintext_secret";
  return names ? "reference" : "none";
}

function severityOf(exposure: ShadowFinding["auth_exposure"], risk: ShadowFinding["data_risk"]) {
  if (exposure === "plaintext_transport" || (exposure === "plaintext_secret" && risk !== "low")) return "high";
  return exposure === "plaintext_secret" || risk !== "low" ? "medium" : "low";
}

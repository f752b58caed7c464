/** What changed between two configurations, in the words of the reload outcome. */
import { stableJson } from "../lib/json.ts";
import type { BackendConfig, Config } from "./schema.ts";

export const noChanges = "no changes detected";

export interface ConfigDiff {
  /** Backends to start having; one that is switched on counts as added. */
  readonly added: readonly string[];
  /** Backends to stop having; one that is switched off counts as removed. */
  readonly removed: readonly string[];
  readonly modified: readonly string[];
  /** The listener's address changed, which takes a restart. */
  readonly serverAddressChanged: boolean;
  /** Other sections that changed, in the order of the schema. */
  readonly sections: readonly string[];
  /** `no changes detected`, or parts joined by `; ` such as `added backends: [a, b]`. */
  readonly changes: string;
}

export function diffConfigs(before: Config, after: Config): ConfigDiff {
  const old = enabledBackends(before);
  const now = enabledBackends(after);
  const added = [...now.keys()].filter((name) => !old.has(name));
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const modified = [...now]
    .filter(([name, backend]) => differ(old.get(name) ?? backend, backend))
    .map(([name]) => name);
  const serverAddressChanged = differ(address(before), address(after));
  const sections = sectionNames(before, after).filter((section) =>
    differ(besidesAddress(section, before), besidesAddress(section, after)),
  );
  const parts = [
    added.length > 0 && `added backends: [${added.join(", ")}]`,
    removed.length > 0 && `removed backends: [${removed.join(", ")}]`,
    modified.length > 0 && `modified backends: [${modified.join(", ")}]`,
    serverAddressChanged && "server address changed (restart required)",
    sections.length > 0 && "profiles/meta config changed",
  ].filter((part) => part !== false);
  const changes = parts.length === 0 ? noChanges : parts.join("; ");
  return { added, removed, modified, serverAddressChanged, sections, changes };
}

function enabledBackends(config: Config): Map<string, BackendConfig> {
  return new Map(Object.entries(config.backends).filter(([, backend]) => backend.enabled));
}

function sectionNames(before: Config, after: Config): (keyof Config)[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Config)[]);
  names.delete("backends");
  return [...names];
}

function address({ server, mtls }: Config) {
  const { host, port, ws_port, metrics_port } = server;
  if (mtls?.enabled !== true) return { host, port, ws_port, metrics_port };
  const { policies: _policies, ...files } = mtls;
  return { host, port, ws_port, metrics_port, files };
}

function besidesAddress(section: keyof Config, config: Config): unknown {
  if (section !== "server") return config[section];
  const { host: _host, port: _port, ws_port: _wsPort, metrics_port: _metricsPort, ...rest } = config.server;
  return rest;
}

function differ(a: unknown, b: unknown): boolean {
  return stableJson(a) !== stableJson(b);
}

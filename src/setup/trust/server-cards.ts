/** Cards of the tools of servers, as far as they are known from the last time each server was asked. */

import { createPinStore, type ServerPins } from "../../catalog/integrity/pin-store.ts";
import { scanDefinition } from "../../catalog/integrity/poisoning.ts";
import { createListStore } from "../../catalog/list-store.ts";
import { stableHash } from "../../catalog/stable-hash.ts";
import { backendSecrets } from "../../config/backend-secrets.ts";
import { joinCommand } from "../../config/command-line.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { replicasOf } from "../../config/replicas.ts";
import type { BackendConfig } from "../../config/schema.ts";
import { definitionOf, kindOf } from "../../gateway/backend-upstream.ts";
import { type Isolation, isolationOf } from "../../gateway/isolation.ts";
import { type JsonObject, stableJson } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { type CardProvider, digestOf, effectsOf, originOf, type TrustCard } from "./trust-card.ts";

export interface ServerCards {
  readonly server: string;
  /** The server, or each of its replicas. */
  readonly providers: readonly CardProvider[];
  /** `undefined` for a server that was never asked. */
  readonly cards: readonly TrustCard[] | undefined;
}

export async function serverCards({ config, env }: LoadedConfig, stateDirectory: string): Promise<ServerCards[]> {
  const lists = createListStore(
    `${stateDirectory}/catalog`,
    () => true,
    () => {},
  );
  const pinStore = createPinStore(`${stateDirectory}/pins`);
  const backends = Object.values(config.backends).filter(({ enabled }) => enabled);
  return Promise.all(
    backends.map(async (backend) => {
      const isolation = isolationOf(backend, config.runtime, env);
      const owner = {
        name: backend.name,
        key: stableHash(stableJson(definitionOf(backend, isolation, config.security))),
      };
      const { tools } = await lists.load(owner);
      const pins = await pinStore.load(owner).catch((): ServerPins => new Map());
      const replicas = replicasOf(backend);
      const providers =
        replicas.length === 0
          ? [providerOf(backend.name, backend, isolation)]
          : replicas.map(({ id, backend: own }) => providerOf(id, own, isolationOf(own, config.runtime, env)));
      const cards = tools?.items.flatMap((tool) => cardOf(backend.name, tool, pins, providers));
      return { server: backend.name, providers, cards };
    }),
  );
}

function cardOf(server: string, tool: JsonObject, pins: ServerPins, providers: readonly CardProvider[]): TrustCard[] {
  const { name } = tool;
  if (typeof name !== "string") return [];
  const digest = digestOf(tool);
  const pin = pins.get(name);
  return [
    {
      id: `tool:${server}:${name}`,
      server,
      tool: name,
      source: "server",
      definition_sha256: digest,
      providers,
      effects: effectsOf(tool),
      findings: pin?.held?.findings ?? scanDefinition(tool, new Set()),
      pin: pin?.held !== undefined ? "held" : pin?.digest === digest ? "pinned" : "not pinned",
    },
  ];
}

function providerOf(name: string, backend: BackendConfig, isolation: Isolation | undefined): CardProvider {
  const { command, http_url, a2a_url } = backend;
  const base = { name, service: kindOf(backend), auth: authOf(backend) };
  if (command === undefined) {
    const origin = originOf(http_url ?? a2a_url ?? "");
    return { ...base, origins: origin === undefined ? [] : [origin] };
  }
  const { redact } = new Redactor(backendSecrets(backend));
  const egress = isolation?.profile.network_egress === "none" ? "none" : "full";
  return { ...base, origins: [], program: redact(joinCommand(command)), egress };
}

function authOf({ oauth, headers, env, secrets = [] }: BackendConfig): string[] {
  return [
    ...(oauth?.enabled === true ? ["oauth"] : []),
    ...Object.keys(headers).map((header) => `header ${header}`),
    ...Object.keys(env).map((variable) => `variable ${variable}`),
    ...secrets.map(({ inject_as, inject_key }) => `${inject_as} ${inject_key}`),
  ];
}

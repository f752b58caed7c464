/** Tools and prompts of many backends under the names `/mcp` shows them by. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import { mayUseServer, mayUseTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { type ExposedNames, exposeNames, type OwnedName } from "../meta/exposed-names.ts";
import { metaToolNames } from "../meta/meta-tool-names.ts";
import { knownItems, listAll, type OwnedItem } from "./lists.ts";
import { pinnedTools } from "./pinned-tools.ts";
import type { RequestScope } from "./request-scope.ts";

class Exposed {
  readonly #owned: readonly OwnedItem[];
  readonly #names: ExposedNames;

  constructor(owned: readonly OwnedItem[], reserved?: Iterable<string>) {
    this.#owned = owned;
    this.#names = exposeNames(owned.map(ownNameOf), reserved);
  }

  /** As listed by their backends but for the name. */
  items(): JsonObject[] {
    return this.#owned.map((owned) => {
      const name = this.nameOf(ownNameOf(owned));
      return name === owned.item["name"] ? owned.item : { ...owned.item, name };
    });
  }

  names(): string[] {
    return this.#owned.map((owned) => this.nameOf(ownNameOf(owned)));
  }

  find(name: string): OwnedName | undefined {
    return this.#names.find(name);
  }

  /** The name it is shown by; its own when it is none of these. */
  nameOf({ server, name }: OwnedName): string {
    return this.#names.exposed(server, name);
  }
}

function ownNameOf({ server, item }: OwnedItem): OwnedName {
  return { server, name: String(item["name"]) };
}

/**
 * The tool of that name where only one backend has it. The user interface of an MCP App calls the tools of its server by
 * the names they have there, whatever else the host was shown.
 */
function onlyToolOf(request: RequestScope, name: string): OwnedName | undefined {
  const [only, ...others] = usable(request, knownItems(request, "tools")).filter(({ item }) => item["name"] === name);
  return only === undefined || others.length > 0 ? undefined : ownNameOf(only);
}

/** What is known now; naming thousands of tools anew for every call would cost more than the call. */
export function knownTools(request: RequestScope): Exposed {
  const [kind, reserved] = request.host.meta.enabled ? ["tools beside the meta-tools", metaToolNames] : ["tools"];
  return remembered(request, kind, () => new Exposed(usable(request, knownItems(request, "tools")), reserved));
}

export async function allTools(request: RequestScope): Promise<Exposed> {
  await listAll(request, "tools");
  return knownTools(request);
}

export function knownPrompts(request: RequestScope): Exposed {
  return remembered(request, "prompts", () => new Exposed(knownItems(request, "prompts")));
}

export async function allPrompts(request: RequestScope): Promise<Exposed> {
  await listAll(request, "prompts");
  return knownPrompts(request);
}

/** The pinned tools after their backends were asked where they never were: the first list of a session has them too. */
export async function allSurfacedTools(request: RequestScope): Promise<Exposed> {
  const { host, caller } = request;
  await host.catalog.ready();
  if (host.meta.promote_often_used > 0) await host.usage.ready();
  const servers = new Set(pinnedTools(host).map(({ server }) => host.resolveServer(server)));
  await Promise.all(
    [...servers].map((server) =>
      server !== undefined && mayUseServer(caller, server) ? host.listedSoon(server, "tools") : undefined,
    ),
  );
  return surfacedTools(request);
}

/** The tool that a client means by a name: one it was shown, or one that a single backend has. */
export async function findListed(request: RequestScope, name: string): Promise<OwnedName | undefined> {
  const { enabled: hasMetaTools, spec_preview: showsAll } = request.host.meta;
  const [shown, all] = hasMetaTools ? [surfacedTools, allSurfacedTools] : [knownTools, allTools];
  return (
    shown(request).find(name) ??
    (await all(request)).find(name) ??
    onlyToolOf(request, name) ??
    (showsAll ? knownTools(request).find(name) : undefined)
  );
}

/** Pinned tools that are known to exist and that this caller may use. */
export function surfacedTools(request: RequestScope): Exposed {
  const { host } = request;
  const owned = pinnedTools(host).flatMap(({ server: alias, tool }) => {
    const server = host.resolveServer(alias);
    const item = server === undefined ? undefined : host.catalog.tool(server, tool);
    return server !== undefined && item !== undefined ? [{ server, item }] : [];
  });
  return new Exposed(usable(request, owned), metaToolNames);
}

function usable({ caller }: RequestScope, owned: readonly OwnedItem[]): OwnedItem[] {
  return owned.filter(({ server, item }) => mayUseTool(caller, server, String(item["name"])));
}

interface Remembered {
  readonly revision: number;
  readonly exposed: Exposed;
}

/** Callers are made once per configuration and profile, so this holds as many tables as there are keys. */
const tables = new WeakMap<Catalog, WeakMap<Caller, Map<string, Remembered>>>();

function remembered({ host, caller }: RequestScope, kind: string, make: () => Exposed): Exposed {
  const { catalog } = host;
  const byCaller = tables.get(catalog) ?? new WeakMap<Caller, Map<string, Remembered>>();
  tables.set(catalog, byCaller);
  const byKind = byCaller.get(caller) ?? new Map<string, Remembered>();
  byCaller.set(caller, byKind);
  const known = byKind.get(kind);
  if (known?.revision === catalog.revision) return known.exposed;
  const exposed = make();
  byKind.set(kind, { revision: catalog.revision, exposed });
  return exposed;
}

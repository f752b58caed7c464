/**
 * Names under which tools or prompts of many servers are listed side by side. A name that only one server has is shown
 * as it is, others as `<server>_<name>`; every shown name is safe for the strictest client, `[A-Za-z0-9_-]{1,40}`.
 */
import { stableHash } from "../catalog/stable-hash.ts";

export interface OwnedName {
  readonly server: string;
  readonly name: string;
}

export interface ExposedNames {
  /** The name the thing is listed under; its own name when it is not in the table. */
  exposed(server: string, name: string): string;
  /** What a client means: an exposed name, or an original one that only one server has. */
  find(name: string): OwnedName | undefined;
}

const maxLength = 40;
const hashLength = 8;

/** Deterministic: the same entries give the same names in whatever order they come. `reserved` names are never given away. */
export function exposeNames(entries: readonly OwnedName[], reserved: Iterable<string> = []): ExposedNames {
  const isReserved = new Set(reserved);
  const owners = countBy(entries.map(({ name }) => safe(name)));
  const wished = entries.map(({ server, name }) => {
    const own = safe(name);
    return owners.get(own) === 1 && !isReserved.has(own) ? own : `${safe(server)}_${own}`;
  });
  const wishes = countBy(wished);
  const byExposed = new Map<string, OwnedName>();
  const exposedOf = new Map<string, string>();
  for (const [at, entry] of entries.entries()) {
    const wish = wished[at] as string;
    const fits = wish.length <= maxLength && wishes.get(wish) === 1 && !isReserved.has(wish);
    const exposed = fits ? wish : hashed(wish, entry);
    byExposed.set(exposed, entry);
    exposedOf.set(keyOf(entry.server, entry.name), exposed);
  }
  const originals = countBy(entries.map(({ name }) => name));
  const byOriginal = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    exposed: (server, name) => exposedOf.get(keyOf(server, name)) ?? name,
    find: (name) => byExposed.get(name) ?? (originals.get(name) === 1 ? byOriginal.get(name) : undefined),
  };
}

function hashed(wish: string, { server, name }: OwnedName): string {
  const digest = stableHash(keyOf(server, name)).slice(-hashLength);
  return `${wish.slice(0, maxLength - hashLength - 1)}_${digest}`;
}

function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, "_") || "_";
}

function keyOf(server: string, name: string): string {
  return `${server}\0${name}`;
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

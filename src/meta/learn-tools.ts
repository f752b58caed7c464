/** Servers that were never listed are asked while the caller is served with what is known. */
import type { Clock } from "../lib/clock.ts";
import type { MetaContext, ServerView } from "./meta-tool.ts";

const patienceMs = 1_000;

/**
 * Asks every enabled one of these servers whose tools are unknown. Waits, at most a second, only when none is known:
 * then there is nothing to answer with.
 */
export async function learnTools(
  { catalog, ensureTools }: MetaContext,
  servers: readonly ServerView[],
  clock: Clock,
): Promise<void> {
  await catalog.ready();
  const enabled = servers.filter((server) => server.enabled);
  const unknown = enabled.filter(({ name }) => catalog.list(name, "tools") === undefined);
  if (unknown.length === 0) return;
  // Why a server could not be asked is in its status, and shown from there.
  const asked = Promise.allSettled(unknown.map(({ name }) => ensureTools(name)));
  if (unknown.length < enabled.length) return;
  await new Promise<void>((resolve) => {
    const cancel = clock.after(patienceMs, resolve);
    void asked.then(() => {
      cancel();
      resolve();
    });
  });
}

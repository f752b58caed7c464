/**
 * Follows the configuration while the gateway runs. Whatever happens to the file, the outcome is either a configuration
 * that was loaded in full or the error that says why not; the one in force stays until the other side swaps it.
 */
import { ConfigError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import { maxYamlBytes } from "../lib/yaml-limits.ts";
import { readText } from "../runtime/files.ts";
import { type Watcher, watchFiles } from "../runtime/watch.ts";
import { type LoadedConfig, type LoadRequest, loadConfig } from "./load.ts";

export interface ConfigWatchOptions {
  /** As the running configuration was loaded. */
  readonly request: LoadRequest;
  readonly loaded: LoadedConfig;
  /** Called one at a time: the next one waits until a returned promise settles. Must not throw; what it throws is dropped. */
  readonly onChange: (next: LoadedConfig | ConfigError) => void | Promise<void>;
  /** Quiet time after the last event before the file is read. */
  readonly debounceMs?: number;
  /** Longest time a stream of events can put the reading off. */
  readonly maxWaitMs?: number;
  /** Time between two looks for what the system does not report. */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

/** Watches the file that was loaded, named or found, and its env files. Without a file there is nothing to watch. */
export function watchConfig(options: ConfigWatchOptions): Watcher {
  const { loaded, onChange, debounceMs = 300, maxWaitMs = 2_000, clock = systemClock } = options;
  if (loaded.source === undefined) return { close() {} };
  // From here on the file is fixed: when it is deleted, another one must not silently take its place.
  const request: LoadRequest = { ...options.request, path: loaded.source.path, fallBack: false, refuseEmpty: true };
  const watchOptions = options.pollMs === undefined ? {} : { pollMs: options.pollMs };
  let watched = loaded.watchPaths;
  let watcher: Watcher;
  let contents = loaded.contents;
  let firstEventAt: number | undefined;
  let cancelTimer = () => {};
  let running = false;
  let closed = false;

  const onEvent = () => {
    if (closed) return;
    firstEventAt ??= clock.now();
    if (running) return;
    cancelTimer();
    const patience = firstEventAt + maxWaitMs - clock.now();
    cancelTimer = clock.after(Math.min(debounceMs, patience), () => void settle());
  };
  const settle = async () => {
    running = true;
    firstEventAt = undefined;
    await look().catch(() => {});
    running = false;
    if (firstEventAt !== undefined) onEvent();
  };
  const look = async () => {
    const found = await Promise.all(watched.map(read));
    // A save that changes nothing, and an event about a neighbouring file, end here.
    if (same(found, contents) || closed) return;
    contents = found;
    const next = await load(request);
    if (closed) return;
    if (!(next instanceof ConfigError)) {
      contents = next.contents;
      if (!same(next.watchPaths, watched)) {
        watched = next.watchPaths;
        watcher.close();
        watcher = watchFiles(watched, onEvent, watchOptions);
      }
    }
    await onChange(next);
  };
  watcher = watchFiles(watched, onEvent, watchOptions);
  return {
    close() {
      closed = true;
      cancelTimer();
      watcher.close();
    },
  };
}

async function load(request: LoadRequest): Promise<LoadedConfig | ConfigError> {
  try {
    return await loadConfig(request);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    return new ConfigError(`Cannot load the configuration: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function read(path: string): Promise<string | null> {
  return readText(path, maxYamlBytes).catch(() => null);
}

/** Compares the contents themselves, not digests: they are small and kept anyway. */
function same(a: readonly (string | null)[], b: readonly (string | null)[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

/**
 * Tells that files may have changed. Watches directories, not files, because editors, `kubectl` and atomic writers
 * replace files instead of changing them; a slow poll stands behind it for what the system does not report (a deleted
 * and re-made directory, network and overlay file systems). Callers debounce, and compare contents: an event is a hint.
 */
import type { FSWatcher } from "node:fs";
import { builtin } from "./builtin.ts";
import { fileStamp, listDirectory, resolveLinks } from "./files.ts";
import { dirname, extname, join } from "./paths.ts";

export interface Watcher {
  close(): void;
}

export interface WatchOptions {
  /** Time between two looks at what the system may not report. */
  readonly pollMs?: number;
}

const defaultPollMs = 2_000;

/**
 * Calls `onChange` whenever one of the files may have changed, appeared or gone, also through a swapped link on its way;
 * and once when the watch stands, because what happened before that nobody saw.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, options: WatchOptions = {}): Watcher {
  const directories = new Map<string, DirectoryWatch>();
  let stamps: string | undefined;
  let closed = false;

  const look = async () => {
    const targets = await Promise.all(paths.map(resolveLinks));
    const wanted = new Set([...paths, ...targets].map((path) => dirname(path)));
    const seen = (await Promise.all(paths.map(fileStamp))).join("|");
    if (closed) return;
    for (const [path, watched] of directories) {
      if (wanted.has(path)) continue;
      watched.close();
      directories.delete(path);
    }
    for (const path of wanted) {
      if (closed) return;
      const watched = directories.get(path) ?? new DirectoryWatch(path, false, onChange);
      directories.set(path, watched);
      await watched.renew();
    }
    if (stamps !== seen && !closed) onChange();
    stamps = seen;
  };
  const stop = poll(look, options.pollMs ?? defaultPollMs);
  return {
    close() {
      closed = true;
      stop();
      for (const watched of directories.values()) watched.close();
    },
  };
}

/**
 * Calls `onChange` whenever a file with one of the extensions (such as `.yaml`) may have changed, appeared or gone
 * anywhere below the directory. The directory may be made, removed and made again while it is watched.
 */
export function watchTree(
  directory: string,
  extensions: readonly string[],
  onChange: () => void,
  options: WatchOptions = {},
): Watcher {
  let first = true;
  let closed = false;
  const watched = new DirectoryWatch(directory, true, (name) => {
    // A name without extension may be a directory that was moved in or out with everything below it.
    const extension = name === undefined ? "" : extname(name);
    if (extension === "" || extensions.includes(extension)) onChange();
  });
  const look = async () => {
    const renewed = await watched.renew();
    if (renewed && !first && !closed) onChange();
    first = false;
  };
  const stop = poll(look, options.pollMs ?? defaultPollMs);
  return {
    close() {
      closed = true;
      stop();
      watched.close();
    },
  };
}

/** Every file below the directory with one of the extensions, sorted; nothing when the directory does not exist. Links to directories are not followed. */
export async function filesBelow(directory: string, extensions: readonly string[]): Promise<string[]> {
  const entries = await listDirectory(directory).catch(() => []);
  const found = await Promise.all(
    entries.map(async ({ name, kind }) => {
      const path = join(directory, name);
      if (kind === "directory") return filesBelow(path, extensions);
      return kind !== "other" && extensions.includes(extname(name)) ? [path] : [];
    }),
  );
  return found.flat();
}

/** One system watch on one directory, made again when the directory was replaced. */
class DirectoryWatch {
  readonly #path: string;
  readonly #recursive: boolean;
  readonly #onEvent: (name: string | undefined) => void;
  #watcher: FSWatcher | undefined;
  #identity: string | undefined;
  #closed = false;

  constructor(path: string, recursive: boolean, onEvent: (name: string | undefined) => void) {
    this.#path = path;
    this.#recursive = recursive;
    this.#onEvent = onEvent;
  }

  /** Watches the directory that is there now; returns whether that is another one than before. */
  async renew(): Promise<boolean> {
    const identity = await directoryIdentity(this.#path);
    if (this.#closed || (identity === this.#identity && (this.#watcher !== undefined || identity === undefined)))
      return false;
    this.#stop();
    const changed = identity !== this.#identity;
    this.#identity = identity;
    if (identity === undefined) return changed;
    try {
      const options = { persistent: false, recursive: this.#recursive };
      const watcher = builtin("node:fs").watch(this.#path, options, (_event, name) => this.#onEvent(name ?? undefined));
      // Bun throws when the directory is missing, Deno emits; either way the next poll tries again.
      watcher.on("error", () => this.#stop());
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined;
    }
    return changed;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** A directory made anew may get the inode of the old one, never its birth time. */
async function directoryIdentity(path: string): Promise<string | undefined> {
  const found = await builtin("node:fs")
    .promises.stat(path)
    .catch(() => undefined);
  return found?.isDirectory() ? `${found.dev}:${found.ino}:${found.birthtimeMs}` : undefined;
}

/** Runs now and then after each pause, never twice at once; returns what ends it. A failure is left to the next round. */
function poll(look: () => Promise<void>, pauseMs: number): () => void {
  // Not the global one: its timers cannot be unreferenced on Deno.
  const { clearTimeout, setTimeout } = builtin("node:timers");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const round = async () => {
    await look().catch(() => {});
    if (stopped) return;
    timer = setTimeout(round, pauseMs);
    timer.unref();
  };
  void round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** The registry as a running gateway serves it: read when it is first asked for, and again whenever the file changes. */
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { fileStamp } from "../runtime/files.ts";
import { type Watcher, watchFiles } from "../runtime/watch.ts";
import { readRegistry } from "./registry.ts";
import { type ServedSkills, serveSkills } from "./served-skills.ts";

/** A burst of events about the file is one change. */
const debounceMs = 200;

export interface SkillShelfOptions {
  /** Of the registry; it may not exist. */
  readonly path: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Skills came, went or became others; with the addresses of what is another text now, or gone. */
  readonly onChanged: (uris: readonly string[]) => void;
  /** As of {@link watchFiles}. */
  readonly pollMs?: number;
}

export class SkillShelf {
  readonly #options: SkillShelfOptions;
  readonly #watcher: Watcher;
  #served: Promise<ServedSkills> | undefined;
  /** Of the file that was read last. */
  #stamp: string | undefined;
  #cancelLook: (() => void) | undefined;
  #isClosed = false;

  /** Watches until it is closed. */
  constructor(options: SkillShelfOptions) {
    this.#options = options;
    const { path, clock, pollMs } = options;
    const look = () => {
      this.#cancelLook = undefined;
      void this.#look();
    };
    const onEvent = () => {
      if (!this.#isClosed) this.#cancelLook ??= clock.after(debounceMs, look);
    };
    this.#watcher = watchFiles([path], onEvent, pollMs === undefined ? {} : { pollMs });
  }

  /** What is served now; of a file that cannot be read what was there before, or nothing. */
  served(): Promise<ServedSkills> {
    this.#served ??= this.#read(serveSkills([]));
    return this.#served;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
    this.#watcher.close();
  }

  async #look(): Promise<void> {
    const before = await this.served();
    // Most events are about other files of the directory.
    if ((await fileStamp(this.#options.path)) === this.#stamp) return;
    const next = this.#read(before);
    this.#served = next;
    const after = await next;
    const changed = [...before.files].filter(([uri, { text }]) => after.files.get(uri)?.text !== text);
    if (this.#isClosed || (changed.length === 0 && after.files.size === before.files.size)) return;
    this.#options.log.info("The skills changed", { skills: after.skills.length });
    this.#options.onChanged(changed.map(([uri]) => uri));
  }

  async #read(before: ServedSkills): Promise<ServedSkills> {
    const { path, log } = this.#options;
    this.#stamp = await fileStamp(path);
    try {
      const { skills, problems } = await readRegistry(path);
      for (const problem of problems) log.warn(`A skill is left out: ${problem}`);
      return serveSkills(skills);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("The skills cannot be read, those of before stay", { reason });
      return before;
    }
  }
}

/** The imported skills of a running gateway: followed once its doors are open, or when they are first asked for, and switched by a reload. */
import { announceSkills } from "../clients/fan-out.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { type Environment, workingDirectory } from "../runtime/process.ts";
import type { ServedSkills, SkillSource } from "../skills/served-skills.ts";
import type { SkillShelf } from "../skills/skill-shelf.ts";

const startAfterMs = 500;
const none: ServedSkills = { skills: [], listed: [], files: new Map(), directories: new Map() };

export interface SkillWatchOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly env: Environment;
  /** `undefined` for a gateway that keeps nothing: it has no skills. */
  readonly stateDirectory: string | undefined;
  /** Whose clients are told of changes. */
  readonly host: () => FaceHost;
}

export class SkillWatch implements SkillSource {
  readonly #options: SkillWatchOptions;
  #isEnabled: boolean;
  #isClosed = false;
  #shelf: Promise<SkillShelf> | undefined;

  constructor(options: SkillWatchOptions) {
    this.#options = options;
    this.#isEnabled = isEnabled(options.config);
  }

  get isOn(): boolean {
    return this.#isEnabled && this.#options.stateDirectory !== undefined;
  }

  async served(): Promise<ServedSkills> {
    return this.isOn ? (await this.#open()).served() : none;
  }

  /** In a while: the first answers of the gateway go before. */
  start(): void {
    if (this.isOn) this.#options.clock.after(startAfterMs, () => void (this.isOn && !this.#isClosed && this.#open()));
  }

  configure(next: Config): void {
    const before = this.#isEnabled;
    this.#isEnabled = isEnabled(next);
    if (before === this.#isEnabled) return;
    if (before) this.#end();
    else this.start();
    announceSkills(this.#options.host(), []);
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #open(): Promise<SkillShelf> {
    this.#shelf ??= this.#make();
    return this.#shelf;
  }

  async #make(): Promise<SkillShelf> {
    const { stateDirectory = "", env, log, clock, host } = this.#options;
    const [{ SkillShelf }, { registryPath }] = await Promise.all([
      import("../skills/skill-shelf.ts"),
      import("../skills/registry-path.ts"),
    ]);
    const path = registryPath(undefined, stateDirectory, env, workingDirectory());
    const shelf = new SkillShelf({ path, log, clock, onChanged: (uris) => announceSkills(host(), uris) });
    // Nobody would end a watch that begins after the end.
    if (this.#isClosed) shelf.close();
    return shelf;
  }

  #end(): void {
    void this.#shelf?.then((shelf) => shelf.close());
    this.#shelf = undefined;
  }
}

function isEnabled({ skills }: Config): boolean {
  return skills?.enabled ?? true;
}

/** Whether a capability could work now: one without its key stays listed, says what is missing, and ranks behind others. */
import { exists } from "../runtime/files.ts";
import { join } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import type { ListedCapability, Requirements } from "./capability.ts";
import { hasLogin } from "./oauth-login.ts";

/** Member of `_meta` with the reason; absent when the tool can be used. */
const unavailableKey = "mcp-gateway/unavailable";

/** Looks at each login and each program once, however many capabilities need it. */
export class Availability {
  readonly #env: Environment;
  readonly #stateDirectory: string;
  readonly #found = new Map<string, Promise<boolean>>();

  constructor(env: Environment, stateDirectory: string) {
    this.#env = env;
    this.#stateDirectory = stateDirectory;
  }

  /** The tool, with what is missing in its `_meta`. */
  async mark({ tool, requirements }: ListedCapability): Promise<ListedCapability["tool"]> {
    const reason = await this.missing(requirements);
    const meta = tool["_meta"];
    return reason === undefined
      ? tool
      : { ...tool, _meta: { ...(typeof meta === "object" ? meta : {}), [unavailableKey]: reason } };
  }

  /** A reason such as `needs SLACK_BOT_TOKEN`, or nothing. */
  async missing({ variables, login, program }: Requirements): Promise<string | undefined> {
    const unset = variables.filter((name) => !this.#env[name]);
    if (unset.length > 0) return `needs ${unset.join(" and ")}`;
    if (login !== undefined && !(await this.#has(`login ${login}`, () => this.#hasLogin(login))))
      return `needs a login for ${login}`;
    if (program !== undefined && !(await this.#has(`program ${program}`, () => this.#hasProgram(program))))
      return `needs the program ${program}`;
    return undefined;
  }

  #has(key: string, look: () => Promise<boolean>): Promise<boolean> {
    let found = this.#found.get(key);
    if (found === undefined) {
      found = look();
      this.#found.set(key, found);
    }
    return found;
  }

  #hasLogin(provider: string): Promise<boolean> {
    return hasLogin(this.#stateDirectory, provider, this.#env);
  }

  /** Windows looks for programs in more places and by more names than it is worth repeating. */
  async #hasProgram(program: string): Promise<boolean> {
    const isWindows = this.#env["SystemRoot"] !== undefined;
    if (isWindows) return true;
    if (program.includes("/")) return !program.startsWith("/") || exists(program);
    for (const folder of (this.#env["PATH"] ?? "").split(":"))
      if (folder !== "" && (await exists(join(folder, program)))) return true;
    return false;
  }
}

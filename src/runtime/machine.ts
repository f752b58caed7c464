/** What the places of other programs' files depend on: the system, its user and where the user stands. */
import { expandHome } from "./paths.ts";
import { type Environment, environment, workingDirectory } from "./process.ts";

export interface Machine {
  /** `linux`, `darwin`, `win32` … */
  readonly platform: string;
  readonly home: string;
  readonly cwd: string;
  readonly env: Environment;
}

export function thisMachine(): Machine {
  const env = environment();
  return { platform: process.platform, home: expandHome("~", env), cwd: workingDirectory(), env };
}

/**
 * `npx` and `npm` are batch files on Windows, and a batch file cannot be run without a shell that reads its arguments.
 * They only start node with a script that lies beside them, so that is started instead.
 */
import { existsSync } from "node:fs";
import { win32 } from "node:path";

/** The argv to run; unchanged on other systems and for other programs. */
export function windowsProgram(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  platform: string = process.platform,
  exists: (path: string) => boolean = existsSync,
): readonly string[] {
  const [command = "", ...args] = argv;
  const name = /^(npx|npm)(\.cmd)?$/i.exec(command)?.[1]?.toLowerCase();
  if (platform !== "win32" || name === undefined) return argv;
  for (const folder of (env["PATH"] ?? "").split(win32.delimiter)) {
    const script = win32.join(folder, "node_modules", "npm", "bin", `${name}-cli.js`);
    if (exists(win32.join(folder, `${name}.cmd`)) && exists(script)) {
      const node = win32.join(folder, "node.exe");
      return [exists(node) ? node : "node", script, ...args];
    }
  }
  return argv;
}

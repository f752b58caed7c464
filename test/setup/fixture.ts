/** A home full of AI clients, in a folder that goes away with its test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Machine } from "../../src/runtime/machine.ts";

export interface Home {
  readonly machine: Machine;
  /** Writes a file below the home; `project/…` is below the working directory. */
  write(path: string, content: string): string;
  path(path: string): string;
}

export function home(t: TestContext, platform = "linux", env: Readonly<Record<string, string>> = {}): Home {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gateway-setup-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (below: string) => join(folder, below);
  mkdirSync(path("project"));
  return {
    machine: { platform, home: folder, cwd: path("project"), env: { HOME: folder, ...env } },
    path,
    write(below, content) {
      mkdirSync(dirname(path(below)), { recursive: true });
      writeFileSync(path(below), content);
      return path(below);
    },
  };
}

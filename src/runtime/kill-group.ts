/** Signals a child together with what it started. */
import { spawn } from "node:child_process";

/** `group` is the id of a child started as leader of its own group. A group that is gone is no error. */
export function killGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (process.platform === "win32") {
    // Windows has no groups; taskkill walks the tree. Without /F it only asks, which console programs do not hear.
    const killer = spawn("taskkill", ["/pid", String(group), "/T", "/F"], { stdio: "ignore", windowsHide: true });
    killer.on("error", () => {});
    return;
  }
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: all of it has ended.
  }
}

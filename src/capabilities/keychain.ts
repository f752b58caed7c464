/** Keys in the keychain of the system: that of macOS, or the one behind `secret-tool` (GNOME Keyring, KWallet) on Linux. */
import type { Environment } from "../runtime/process.ts";
import { operatingSystem } from "../runtime/process.ts";
import { runProgram } from "./program.ts";
import { Refusal } from "./refusal.ts";

const maxSecretBytes = 65_536;

/** `undefined` when the keychain has no such item. @throws Refusal where there is no keychain */
export async function readKeychain(name: string, env: Environment, signal: AbortSignal): Promise<string | undefined> {
  const argv =
    operatingSystem() === "darwin"
      ? ["/usr/bin/security", "find-generic-password", "-s", name, "-w"]
      : ["secret-tool", "lookup", "service", name];
  if (operatingSystem() === "win32")
    throw new Refusal("Keys from a keychain are not available on Windows", "Put the key into an environment variable", {
      outcome: "unsent",
    });
  // The way to the user's session, without which secret-tool finds no keychain.
  const session = { DBUS_SESSION_BUS_ADDRESS: env["DBUS_SESSION_BUS_ADDRESS"], PATH: env["PATH"] };
  const { exit, stdout } = await runProgram({ argv, env: session, maxBytes: maxSecretBytes, signal });
  const secret = new TextDecoder().decode(stdout).replace(/\r?\n$/, "");
  return exit.code === 0 && secret !== "" ? secret : undefined;
}

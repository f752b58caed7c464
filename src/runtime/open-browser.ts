/** Shows an address in the user's browser, where there is one. */
import { spawn } from "node:child_process";

const openers: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ["open"],
  // `start` is no program, and `cmd` would read the `&` of an address.
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Resolves with whether a program took it; on a machine without one, the user opens the address. Only http and https. */
export function openBrowser(url: URL): Promise<boolean> {
  if (url.protocol !== "http:" && url.protocol !== "https:") return Promise.resolve(false);
  const [program, ...args] = openers[process.platform] ?? ["xdg-open"];
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url.href], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}

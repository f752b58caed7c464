/** A real Chromium, driven through its DevTools protocol over a WebSocket: no package needed. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endedWithTests } from "../e2e/harness.ts";

const places = [
  process.env["CHROMIUM_BINARY"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

/** For `test(name, { skip }, …)`: why, where there is no browser. */
export const skip = chromiumPath === undefined && "No Chromium found: install one, or name it by CHROMIUM_BINARY";

export interface Page {
  goto(url: string): Promise<void>;
  /** The value of an expression in the page, awaited; what it throws there is thrown here. */
  evaluate<T>(expression: string): Promise<T>;
  /** Resolves with the value once it is truthy. */
  until<T>(expression: string): Promise<T>;
  /** Waits for the first element that fits and has this text, and clicks where it is shown, as a mouse would. */
  click(selector: string, text?: string): Promise<void>;
  /** Replaces what is in the field by typing. */
  type(selector: string, text: string): Promise<void>;
  /** Presses one key, such as `Tab` or `Enter`. */
  press(key: "Tab" | "Enter" | "/"): Promise<void>;
  /** @param dark the color scheme the system asks for */
  resize(width: number, height: number, dark?: boolean): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** What went wrong in the page: uncaught errors, errors in the console, violations of its content security policy. */
  readonly problems: readonly string[];
  /** Every address that was asked for. */
  readonly requests: readonly string[];
}

export interface Browser {
  open(): Promise<Page>;
  close(): Promise<void>;
}

type Params = Record<string, unknown>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly sessionId?: string;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

const patienceMs = 15_000;

export async function launch(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "mcp-gateway-browser-"));
  const flags = ["--headless", "--remote-debugging-port=0", "--no-sandbox", "--disable-gpu", "--no-first-run"];
  const child = endedWithTests(
    spawn(chromiumPath as string, [...flags, `--user-data-dir=${profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  const gone = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("exit", () => reject(new Error(`Chromium ended early:\n${text}`)));
  });
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Chromium does not take a connection"));
  });

  let lastId = 0;
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (message: Message) => void>();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else listeners.get(message.sessionId ?? "")?.(message);
  };
  const send = (method: string, params: Params = {}, sessionId?: string): Promise<Params> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });

  return {
    async open() {
      const { browserContextId } = await send("Target.createBrowserContext");
      const { targetId } = await send("Target.createTarget", { url: "about:blank", browserContextId });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      const page = createPage((method, params) => send(method, params, sessionId as string));
      listeners.set(sessionId as string, page.onEvent);
      for (const domain of ["Page", "Runtime", "Log", "Network"])
        await send(`${domain}.enable`, {}, sessionId as string);
      await page.resize(1_280, 860);
      return page;
    },
    async close() {
      socket.close();
      child.kill("SIGKILL");
      await gone;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function createPage(send: (method: string, params?: Params) => Promise<Params>) {
  const problems: string[] = [];
  const requests: string[] = [];

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string }; text: string } };
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async function until<T>(expression: string): Promise<T> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const value = await evaluate<T>(expression);
      if (value) return value;
      if (performance.now() > endMs)
        throw new Error(`Never true: ${expression}\nThe page says: ${await evaluate("document.body.innerText")}`);
      await sleep(25);
    }
  }

  async function press(key: string, text?: string): Promise<void> {
    const codes: Record<string, number> = { Tab: 9, Enter: 13, "/": 191 };
    const common = { key, code: key, windowsVirtualKeyCode: codes[key] };
    await send("Input.dispatchKeyEvent", { type: "keyDown", ...common, ...(text && { text }) });
    await send("Input.dispatchKeyEvent", { type: "keyUp", ...common });
  }

  return {
    problems,
    requests,
    onEvent({ method, params = {} }: Message): void {
      if (method === "Network.requestWillBeSent") requests.push((params["request"] as { url: string }).url);
      if (method === "Runtime.exceptionThrown")
        problems.push(JSON.stringify((params["exceptionDetails"] as Params)["exception"]));
      if (method === "Log.entryAdded") {
        const { level, text, source } = params["entry"] as { level: string; text: string; source: string };
        // That a request was refused is for the page to handle.
        if (level === "error" && source !== "network") problems.push(text);
      }
    },
    evaluate,
    until,
    async goto(url: string) {
      await send("Page.navigate", { url });
      await until("document.readyState === 'complete'");
    },
    async click(selector: string, text = "") {
      const at = await until<{ x: number; y: number }>(
        `(() => {
          const fits = (one) => one.textContent.includes(${JSON.stringify(text)}) && !one.disabled;
          const found = [...document.querySelectorAll(${JSON.stringify(selector)})].find(fits);
          if (!found) return undefined;
          found.scrollIntoView({ block: "center", behavior: "instant" });
          const { x, y, width, height } = found.getBoundingClientRect();
          return width > 0 && { x: x + width / 2, y: y + height / 2 };
        })()`,
      );
      const mouse = { ...at, button: "left", clickCount: 1 };
      await send("Input.dispatchMouseEvent", { type: "mousePressed", ...mouse });
      await send("Input.dispatchMouseEvent", { type: "mouseReleased", ...mouse });
    },
    async type(selector: string, text: string) {
      await until(
        `(() => { const found = document.querySelector(${JSON.stringify(selector)}); found?.focus(); found?.select(); return found && document.activeElement === found; })()`,
      );
      await send("Input.insertText", { text });
    },
    async press(key: "Tab" | "Enter" | "/") {
      await press(key, key === "Enter" ? "\r" : key === "/" ? "/" : undefined);
    },
    async resize(width: number, height: number, dark = false) {
      await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
      await send("Emulation.setEmulatedMedia", { features });
    },
    async screenshot(path: string) {
      const { data } = await send("Page.captureScreenshot", { format: "png" });
      writeFileSync(path, Buffer.from(data as string, "base64"));
    },
  };
}

/** The dashboard in a real browser, served by the executable. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type GatewayOptions, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { rawBackend } from "../faults/gateway.ts";
import { startTokenIssuer } from "../fixtures/token-issuer.ts";
import { type Browser, launch, type Page, skip } from "./chromium.ts";

const hostile = (...flags: string[]) => ({
  command: ["node", fileURLToPath(new URL("hostile-backend.mjs", import.meta.url)), ...flags],
});
const attack = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';
const none = { capabilities: { enabled: false } };

if (skip) console.error(skip);
const it = (name: string, run: () => Promise<void>) => test(name, { skip }, run);

describe("dashboard", () => {
  let browser: Browser;
  before(async () => {
    if (!skip) browser = await launch();
  });
  after(() => browser?.close());

  /** One gateway and one page; whatever went wrong in the page fails the test. */
  async function visit(
    config: object,
    use: (page: Page, gateway: GatewayProcess) => Promise<void>,
    options: GatewayOptions = {},
  ): Promise<void> {
    const gateway = await startGateway({ ...none, ...config }, options);
    const page = await browser.open();
    try {
      await page.goto(`${gateway.url}/ui/`);
      await use(page, gateway);
      assert.deepEqual(page.problems, []);
    } catch (error) {
      console.error(gateway.stderr().slice(-2_000));
      throw error;
    } finally {
      await gateway.stop("SIGKILL");
    }
  }

  const says = (page: Page, text: string) => page.until(`document.body.innerText.includes(${JSON.stringify(text)})`);

  it("without servers it says how to add one and how to connect", () =>
    visit({}, async (page, { url }) => {
      await says(page, "mcp-gateway add files");
      await says(page, `claude mcp add --transport http gateway ${url}/mcp`);
      await says(page, "Healthy");
    }));

  it("a tool is found by search, filled in as a form, run, and seen among the calls", () =>
    visit({ backends: { one: hostile() } }, async (page) => {
      await page.click("#nav a", "Tools");
      await page.click("button", "Ask one");
      await page.type("input[type=search]", "answers with its arguments");
      await page.click(".list a", "fields");
      await page.type("#field-word", "hello");
      await page.type("#field-number", "7");
      await page.type("#field-list", '["a"]');
      await page.evaluate(`document.querySelector("#field-flag").value = "true"`);
      await page.evaluate(`document.querySelector("#field-choice").value = '"two"'`);
      await page.click("button[type=submit]", "Run");
      const shown = await page.until<string>(`document.querySelector(".outcome pre")?.textContent`);
      assert.deepEqual(JSON.parse(shown), { word: "hello", number: 7, list: ["a"], flag: true, choice: "two" });
      await page.click("#nav a", "Calls");
      await says(page, "fields");
    }));

  it("a required field, a value that is no JSON and a call that hangs are handled", () =>
    visit({ backends: { one: hostile() } }, async (page, { url }) => {
      await page.goto(`${url}/ui/#/tools/one/fields`);
      await page.click("button[type=submit]", "Run");
      assert.equal(await page.evaluate(`document.querySelector("#field-word").matches(":invalid")`), true);
      await page.type("#field-word", "x");
      await page.type("#field-list", "[");
      await page.click("button[type=submit]", "Run");
      await says(page, '"list" is not valid JSON');
      await page.evaluate(`location.hash = "#/tools/one/hang"`);
      await says(page, "Never answers");
      await page.click("button[type=submit]", "Run");
      await page.until(`document.querySelector("#nav .badge")?.textContent === "1"`);
      await page.click("button", "Cancel");
      await says(page, "Cancelled");
      await page.until(`document.querySelector("#nav .badge") === null`);
    }));

  it("T6: whatever a server says is text, and hidden characters show", () =>
    visit(
      {
        // Which would not show such a tool.
        security: { tool_integrity: { enabled: false } },
        backends: {
          evil: { ...hostile(), description: attack },
          [attack.slice(0, 20).replaceAll(/[/\\:]/g, "")]: hostile(),
        },
      },
      async (page, { url }) => {
        await page.goto(`${url}/ui/#/server/evil`);
        await page.click("button", "Ask for its tools");
        await says(page, `${attack} on stderr`);
        await says(page, "\\u202egnp.exe \\u001b[31mred");
        await page.goto(`${url}/ui/#/tools/evil/${encodeURIComponent(attack)}`);
        await page.click("button[type=submit]", "Run");
        await says(page, "tool error");
        for (const view of ["overview", "calls", "tokens", "clients", "safety", "config", "tools"]) {
          await page.evaluate(`location.hash = "#/${view}"`);
          await page.until(
            `document.querySelector("#nav [aria-current]")?.textContent.toLowerCase().startsWith("${view}")`,
          );
        }
        assert.equal(await page.evaluate("globalThis.hacked"), undefined);
        assert.equal(await page.evaluate(`document.querySelectorAll("main script, main img").length`), 0);
        await page.goto(`${url}/dashboard`);
        await says(page, attack.slice(0, 20));
        assert.equal(await page.evaluate("globalThis.hacked"), undefined);
      },
    ));

  it("a tool that hides something is held back until it is approved, and a server can be switched off", () =>
    visit({ backends: { one: hostile() }, cost_governance: { enabled: true, budgets: { daily: 2 } } }, async (page) => {
      await page.evaluate(`location.hash = "#/server/one"`);
      await page.click("button", "Ask for its tools");
      await says(page, "fields");
      await page.click("#nav a", "Safety");
      await says(page, "Its definition may hide instructions to the model");
      await says(page, "0 USD of 2 USD");
      await page.click("summary", "What it says");
      await says(page, "\\u202egnp.exe");
      await page.click(".held button", "Approve");
      assert.equal(await page.evaluate(`document.querySelector(".held input").matches(":invalid")`), true);
      await page.type(".held input", "It looks bad");
      await page.click(".held button", "Refuse");
      await says(page, "Refused by anonymous: It looks bad");
      await page.type(".held input", "It is a test");
      await page.click(".held button", "Approve");
      await says(page, "None. A tool whose definition hides something");
      await says(page, "3 new since you last looked");
      await page.click("button", "Seen");
      await says(page, "Nothing new since you last looked");
      await page.click("button", "Switch off");
      await page.click("button.danger", "Really switch off?");
      await says(page, "Switched off");
      await page.click("button", "Switch on");
      await says(page, "In use");
      await says(page, "2 new since you last looked");
      assert.equal(await page.evaluate("globalThis.hacked"), undefined);
      await page.evaluate(`location.hash = "#/tools"`);
      await says(page, attack.slice(0, 20));
    }));

  it("where a token is asked for, so does the page; it keeps it for the tab only", () =>
    visit(
      {
        auth: { enabled: true, bearer_token: "admin-token-1", api_keys: [{ key: "plain-key-1", name: "plain" }] },
        backends: { one: hostile() },
      },
      async (page, { url }) => {
        await says(page, "Sign in");
        await page.type("#token", "wrong");
        await page.press("Enter");
        await says(page, "The bearer token or API key is not valid");
        await page.type("#token", "plain-key-1");
        await page.press("Enter");
        await says(page, "This key has neither admin rights nor a role");
        await page.click("button", "Sign out");
        await page.type("#token", "admin-token-1");
        await page.press("Enter");
        await says(page, "Not started");
        assert.deepEqual(
          await page.evaluate(`[Object.values(sessionStorage), Object.values(localStorage), document.cookie]`),
          [["admin-token-1"], [], ""],
        );
        assert.ok(!page.requests.some((asked) => asked.includes("admin-token-1")), "never in an address");
        assert.ok(
          page.requests.every((asked) => asked.startsWith(url)),
          "nothing is asked for elsewhere",
        );
      },
    ));

  it("a role may look at everything its caller may use, and buttons for more say what they need", async () => {
    const provider = await startTokenIssuer();
    try {
      const { issuer } = provider;
      const issuers = [{ issuer, audiences: ["client-1"], rules: [{ backends: ["*"] }] }];
      const rules = [{ issuer, group: "staff", role: "viewer" }];
      const sections = { auth: { enabled: true, issuers }, control_plane: { role_mapping: { rules } } };
      await visit({ ...sections, backends: { one: hostile() } }, async (page) => {
        await page.type("#token", await provider.sign());
        await page.press("Enter");
        await says(page, "Not started");
        await page.click("#nav a", "Safety");
        await says(page, "Servers and their error budgets");
        const shown = (text: string) =>
          page.until(
            `[...document.querySelectorAll("button:disabled")].find((one) => one.textContent === "${text}")?.title`,
          );
        assert.equal(await shown("Switch off"), "This needs the role operator");
        await page.evaluate(`location.hash = "#/server/one"`);
        assert.equal(await shown("Start"), "This needs the role operator");
        assert.equal(await shown("Disable"), "This needs the role admin");
        assert.equal(await page.evaluate(`document.body.innerText.includes("Remove")`), false);
        await page.click("#nav a", "Config");
        await says(page, "role_mapping");
        assert.equal(await shown("Read the file again"), "This needs the role operator");
      });
    } finally {
      provider.close();
    }
  });

  it("with a token a server can be added, is there at once, and can be removed, twice asked", () =>
    visit({ auth: { enabled: true, bearer_token: "admin-token-1" } }, async (page, { configPath }) => {
      const { server, auth, capabilities } = JSON.parse(readFileSync(configPath, "utf8")) as Record<string, object>;
      const text = (value: object | undefined) => JSON.stringify(value);
      const yaml = `server: ${text(server)} # kept\nauth: ${text(auth)}\ncapabilities: ${text(capabilities)}\n`;
      writeFileSync(configPath, yaml);
      await page.type("#token", "admin-token-1");
      await page.press("Enter");
      await page.click("button", "Add a server");
      await page.type("#add-name", "fresh");
      await page.click("button[type=submit]", "Add");
      await says(page, "Give a command or an address");
      await page.type("#add-command", hostile().command.join(" "));
      await page.type("#add-env", "TENANT=acme\nnonsense");
      await page.click("button[type=submit]", "Add");
      await says(page, '"nonsense" is not NAME=value');
      await page.type("#add-env", "TENANT=acme");
      await page.click("button[type=submit]", "Add");
      await page.until(`location.hash === "#/server/fresh"`);
      await page.click("button", "Ask for its tools");
      await says(page, "Answers with its arguments");
      assert.match(readFileSync(configPath, "utf8"), /# kept[\s\S]*TENANT: acme/);
      await page.click("button", "Remove");
      await page.click("button", "Really remove?");
      await says(page, "No server yet");
      assert.ok(!readFileSync(configPath, "utf8").includes("fresh"));
    }));

  it("when the gateway is gone it says so, and goes on when it is back", async () => {
    const gateway = await startGateway({ ...none, backends: { one: hostile() } });
    const page = await browser.open();
    await page.goto(`${gateway.url}/ui/`);
    await says(page, "Not started");
    const config = JSON.parse(readFileSync(gateway.configPath, "utf8")) as { server: { port: number } };
    await gateway.stop("SIGKILL");
    await says(page, "The gateway does not answer");
    const again = await startGateway({ ...config, backends: { two: hostile() } }, { port: config.server.port });
    try {
      await page.until(`document.querySelector("#banner").innerText === "" && document.body.innerText.includes("two")`);
      await says(page, "Healthy");
    } finally {
      await again.stop("SIGKILL");
    }
  });

  it("a server that does not start needs attention, can be tried again, stopped and switched off", () =>
    visit({ backends: { sick: rawBackend("--exit-at-start"), well: hostile() } }, async (page, { url, configPath }) => {
      writeFileSync(configPath, `# kept\n${readFileSync(configPath, "utf8")}`);
      await page.goto(`${url}/ui/#/server/sick`);
      await page.click("button", "Start");
      await says(page, "sick did not start");
      await says(page, "no API key given");
      await page.evaluate(`location.hash = "#/overview"`);
      await says(page, "Needs attention");
      await page.evaluate(`location.hash = "#/server/well"`);
      await page.click("button", "Start");
      await says(page, "well is running again");
      await page.click("button", "Stop");
      await says(page, "well is stopped");
      await page.click("button", "Disable");
      await says(page, "removed backends: [well]");
      assert.match(readFileSync(configPath, "utf8"), /^# kept\n[\s\S]*"well": \{ ?"?enabled"?: false/);
      await page.click("button", "Enable");
      await says(page, "added backends: [well]");
    }));

  it("a broken file is shown with its place while the one before stays in force", () =>
    visit({ backends: { one: hostile() } }, async (page, { url, configPath }) => {
      writeFileSync(configPath, "backends: [");
      await page.goto(`${url}/ui/#/config`);
      await says(page, "The file as it is now cannot be used");
      await says(page, "gateway.yaml:1:");
      await page.click("button", "Read the file again");
      await page.until(`document.querySelector(".toast.bad") !== null`);
    }));

  it("200 servers: filtered, sorted, and quick to draw", () => {
    const backends = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`server-${String(at).padStart(3, "0")}`, hostile()]),
    );
    return visit({ backends }, async (page) => {
      await says(page, "Show all 200");
      await page.type("input[data-input=filter]", "server-15");
      await page.until(`document.querySelectorAll("tbody tr[data-key^=server]").length === 10`);
      await page.type("input[data-input=filter]", "");
      await page.click("button.sort", "Server");
      await page.click("button.sort", "Server");
      await page.until(`document.querySelector("tbody tr").dataset.key === "server-199"`);
    });
  });

  it("works by keyboard alone, and focus stays while the page renews itself", () =>
    visit({ backends: { one: hostile() } }, async (page) => {
      await says(page, "Not started");
      await page.press("Tab");
      assert.equal(await page.evaluate("document.activeElement.className"), "skip");
      await page.click("#nav a", "Calls");
      await says(page, "Nothing runs right now");
      await page.press("/");
      assert.equal(await page.evaluate("document.activeElement.type"), "search");
      const asked = page.requests.filter((url) => url.endsWith("/ui/api/status")).length;
      while (page.requests.filter((url) => url.endsWith("/ui/api/status")).length < asked + 2)
        await page.evaluate("new Promise((resolve) => setTimeout(resolve, 50))");
      assert.equal(await page.evaluate("document.activeElement.type"), "search");
    }));

  it("nothing is wider than a phone, in any view", () =>
    visit(
      {
        backends: {
          "a-server-with-a-rather-long-name-as-they-come": hostile("--tools=30"),
          sick: rawBackend("--exit-at-start"),
        },
      },
      async (page, { url }) => {
        const name = "a-server-with-a-rather-long-name-as-they-come";
        await page.resize(390, 844, true);
        await page.goto(`${url}/ui/#/server/${name}`);
        await page.click("button", "Ask for its tools");
        await says(page, "tool_29");
        for (const view of [
          "overview",
          `server/${name}`,
          "server/sick",
          "tools",
          `tools/${name}/fields`,
          "calls",
          "tokens",
          "clients",
          "safety",
          "config",
        ]) {
          await page.evaluate(`location.hash = "#/${view}"`);
          await page.until(
            `document.querySelector("main").innerText.length > 20 && !document.querySelector("main").innerText.startsWith("Asking")`,
          );
          assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390, view);
        }
      },
    ));
});

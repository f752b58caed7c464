/** What is kept from being called and why, what an operator can do about it, and what calls cost. */
import { h } from "../dom.js";
import { ago, exact, percent, plural } from "../format.js";
import { serverLink, table, tile, toolLink } from "../parts.js";
import { renewed } from "../renewed.js";
import { isArmed, isSure } from "../sure.js";

const asked = renewed("safety", async ({ ask }) => {
  const [safety, costs] = await Promise.all([ask("/ui/api/safety"), ask("/ui/api/costs")]);
  return { safety, costs };
});

function heldTools({ held_tools }) {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, `Tools held back ${held_tools.length || ""}`),
    held_tools.length === 0 &&
      h("p", { class: "muted pad" }, "None. A tool whose definition hides something, or changes, is held back here."),
    held_tools.map(({ server, tool, digest, why, seenAt, approved, changes }) => {
      const id = `${server} ${tool} ${digest}`;
      return h(
        "article",
        { class: "held", "data-key": id },
        h(
          "header",
          {},
          h("h3", {}, serverLink(server), h("span", { class: "muted" }, " · "), tool),
          h(
            "button",
            {
              type: "button",
              "data-action": "approve",
              "data-server": server,
              "data-tool": tool,
              "data-digest": digest,
              class: isArmed(id) ? "danger" : undefined,
            },
            isArmed(id) ? "Really approve?" : "Approve",
          ),
        ),
        h(
          "p",
          {},
          why[0].toUpperCase() + why.slice(1),
          h("span", { class: "muted" }, ` · ${ago(new Date(seenAt).toISOString())}`),
        ),
        h(
          "details",
          { open: approved !== null },
          h("summary", {}, approved === null ? "What it says" : "What changed"),
          h("pre", { class: "code" }, changes.join("\n")),
        ),
      );
    }),
  );
}

function servers({ servers: all, resting_tools }) {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Servers and their error budgets"),
    table(
      [
        { label: "Server" },
        { label: "State" },
        { label: "Errors", class: "num" },
        { label: "Newest calls", class: "num" },
        { label: "" },
      ],
      all.map(({ server, killed, error_rate, window }) => ({
        key: server,
        cells: [
          serverLink(server),
          h("span", { class: `pill ${killed ? "bad" : "good"}` }, killed ? "Switched off" : "In use"),
          percent(error_rate),
          exact(window.successes + window.failures),
          h(
            "button",
            {
              type: "button",
              "data-action": killed ? "revive" : "kill",
              "data-server": server,
              class: isArmed(server) ? "danger" : undefined,
            },
            killed ? "Switch on" : isArmed(server) ? "Really switch off?" : "Switch off",
          ),
        ],
      })),
      { caption: "Servers", empty: "No server is configured." },
    ),
    resting_tools.length > 0 &&
      table(
        [{ label: "Tool left alone" }, { label: "Errors", class: "num" }, { label: "Tried again", class: "num" }],
        resting_tools.map(({ backend, capability, error_rate, cooldown_seconds }) => ({
          key: `${backend} ${capability}`,
          cells: [
            h("span", {}, serverLink(backend), h("span", { class: "muted" }, " · "), toolLink(backend, capability)),
            percent(error_rate),
            cooldown_seconds === null ? "never" : `in ${cooldown_seconds} s`,
          ],
        })),
        { caption: "Tools that are left alone" },
      ),
  );
}

function spending(costs) {
  if (!costs.enabled) return undefined;
  const { currency } = costs;
  const money = (value) => `${Number(value.toPrecision(6))} ${currency}`;
  return [
    h(
      "section",
      { class: "tiles", "aria-label": "Costs" },
      tile("Spent today", money(costs.total_cost), plural(costs.total_calls, "call")),
      costs.budgets.map(({ scope, name, limit, spent, percent: used }) =>
        tile(
          scope === "daily" ? "Budget of the day" : `${scope === "tool" ? "Tools" : "Key"} ${name}`,
          `${used} %`,
          `${money(spent)} of ${money(limit)}`,
          used >= 100 ? "bad" : used >= 80 ? "warn" : "",
        ),
      ),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, "Costs today"),
      table(
        [{ label: "Tool" }, { label: "Calls", class: "num" }, { label: "Cost", class: "num" }],
        costs.by_tool.slice(0, 50).map(({ tool_key, call_count, cost }) => ({
          key: tool_key,
          cells: [tool_key, exact(call_count), money(cost)],
        })),
        { caption: "Costs by tool", empty: "No call yet." },
      ),
    ),
  ];
}

/** Of an action of the API on one server. */
const serverAction = (path, done) => async (button, context) => {
  const { server } = button.dataset;
  await context.act(
    button,
    () => context.ask(`/ui/api/backends/${encodeURIComponent(server)}/${path}`, { method: "POST" }),
    `${server} ${done}`,
  );
  await asked.load(context);
};
const switchOff = serverAction("kill", "is switched off until it is switched on again");

export const safetyView = {
  enter(_rest, context) {
    asked.load(context);
  },
  render() {
    const notice = asked.notice();
    if (notice !== undefined) return notice;
    const { safety, costs } = asked.value;
    return [h("h1", { class: "sr" }, "Safety"), heldTools(safety), servers(safety), spending(costs)];
  },
  actions: {
    async approve(button, context) {
      const { server, tool, digest } = button.dataset;
      if (!isSure(`${server} ${tool} ${digest}`)) return;
      const path = `${encodeURIComponent(server)}/${encodeURIComponent(tool)}`;
      await context.act(
        button,
        () => context.ask(`/ui/api/quarantine/${path}/approve`, { method: "POST", body: { digest } }),
        `${tool} may be called`,
      );
      await asked.load(context);
    },
    async kill(button, context) {
      if (isSure(button.dataset.server)) await switchOff(button, context);
    },
    revive: serverAction("revive", "is switched on"),
  },
};

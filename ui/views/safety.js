/** What is kept from being called and why, what operators decide about it and decided before, and what calls cost. */
import { h } from "../dom.js";
import { ago, exact, percent, plural } from "../format.js";
import { serverLink, table, tile, toolLink } from "../parts.js";
import { renewed } from "../renewed.js";
import { needs } from "../roles.js";
import { changed } from "../store.js";
import { isArmed, isSure } from "../sure.js";

const asked = renewed("safety", async ({ ask }) => {
  const withoutCosts = (error) => {
    if (error.status === 403) return { enabled: false };
    throw error;
  };
  const [safety, costs, control] = await Promise.all([
    ask("/ui/api/safety"),
    ask("/ui/api/costs").catch(withoutCosts),
    ask("/ui/api/control-plane"),
  ]);
  return { safety, costs, control };
});

function heldTools({ held_tools }, { decision_queue }) {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, `Tools held back ${held_tools.length || ""}`),
    held_tools.length === 0 &&
      h("p", { class: "muted pad" }, "None. A tool whose definition hides something, or changes, is held back here."),
    held_tools.map(({ server, tool, digest, why, seenAt, approved, changes }) => {
      const id = `${server}:${tool}@${digest}`;
      const denied = decision_queue.find((one) => one.target_kind === "tool" && one.target_id === id)?.denied;
      const decision = (action, label, tone) =>
        h("button", { type: "button", class: tone, "data-action": action, "data-id": id, ...needs("operator") }, label);
      return h(
        "article",
        { class: "held", "data-key": id },
        h(
          "header",
          {},
          h("h3", {}, serverLink(server), h("span", { class: "muted" }, " · "), tool),
          h(
            "form",
            { class: "actions" },
            h("input", {
              name: "reason",
              required: true,
              maxlength: 500,
              placeholder: "Reason, for the journal",
              "aria-label": `Reason of the decision on ${tool}`,
              autocomplete: "off",
            }),
            decision("approve", "Approve"),
            decision("refuse", "Refuse"),
          ),
        ),
        denied && h("p", { class: "warn-text" }, `Refused by ${denied.by?.name}: ${denied.reason}`),
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
              ...needs("operator"),
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

const what = {
  "tool-quarantined": "Tool held back",
  "tool-approved": "Tool approved",
  "tool-denied": "Tool refused",
  "server-killed": "Switched off",
  "server-revived": "Switched on",
  "server-restarted": "Restarted",
  "server-stopped": "Stopped",
  "error-budget-used-up": "Error budget used up",
  "configuration-reloaded": "Configuration read",
  "configuration-changed": "Configuration changed",
};
const seenKey = "mcp-gateway-seen";

/** Newest first, those since somebody last looked with this browser marked. */
function happened({ journal }) {
  const newest = journal.at(-1)?.number ?? 0;
  const stored = Number(localStorage.getItem(seenKey) ?? 0);
  // After the journal was begun anew, all is new.
  const seen = stored > newest ? 0 : stored;
  const fresh = journal.filter(({ number }) => number > seen).length;
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      {},
      h("h2", {}, fresh === 0 ? "Nothing new since you last looked" : `${fresh} new since you last looked`),
      fresh > 0 && h("button", { type: "button", "data-action": "seen", "data-number": newest }, "Seen"),
    ),
    table(
      [{ label: "When" }, { label: "What" }, { label: "Of" }, { label: "By" }, { label: "Why" }],
      [...journal].reverse().map(({ number, at, action, by, server, tool, reason, rollback, detail }) => ({
        key: String(number),
        cells: [
          h("time", { datetime: at, title: at }, ago(at)),
          h("span", { class: `pill ${number > seen ? "warn" : "idle"}` }, what[action] ?? action),
          server === null ? "the gateway" : h("span", {}, serverLink(server), tool && ` · ${tool}`),
          by?.name ?? h("span", { class: "muted" }, "–"),
          h("span", {}, [reason, detail, rollback && `Undone by: ${rollback}`].filter(Boolean).join(" · ")),
        ],
      })),
      { caption: "What happened", empty: "Nothing was decided, switched or held back yet." },
    ),
  );
}

/** Of a button beside the reason it needs. */
const decision = (verdict) => async (button, context) => {
  const form = button.closest("form");
  if (!form.reportValidity()) return;
  const body = {
    target_kind: "tool",
    target_id: button.dataset.id,
    decision: verdict,
    reason: form.elements.reason.value,
  };
  const path = "/ui/api/control-plane/decisions";
  await context.act(
    button,
    () => context.ask(path, { method: "POST", body }),
    ({ reason }) => reason,
  );
  await asked.load(context);
};

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
    const { safety, costs, control } = asked.value;
    return [
      h("h1", { class: "sr" }, "Safety"),
      heldTools(safety, control),
      servers(safety),
      happened(control),
      spending(costs),
    ];
  },
  actions: {
    approve: decision("approve"),
    refuse: decision("deny"),
    seen(button) {
      localStorage.setItem(seenKey, button.dataset.number);
      changed();
    },
    async kill(button, context) {
      if (isSure(button.dataset.server)) await switchOff(button, context);
    },
    revive: serverAction("revive", "is switched on"),
  },
};

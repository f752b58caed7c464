/** Everything at one glance: how the gateway is, what needs attention, every server. */
import { h } from "../dom.js";
import { clockTime, count, duration, exact, percent, plural } from "../format.js";
import { callRows, circuitPill, rate, serverLink, stateOf, statePill, table, tile } from "../parts.js";
import { needs } from "../roles.js";
import { state } from "../store.js";
import { addActions, addButton, addForm, canEdit, submitAdd } from "./add-server.js";

const shownAtOnce = 60;
let filter = "";
let only = "all";
let sort = { key: "order", up: true };
let showAll = false;

const order = { unhealthy: 0, starting: 1, running: 2, dormant: 3, not_started: 4, disabled: 5 };
const sorts = {
  name: (server) => server.name.toLowerCase(),
  state: (server) => order[stateOf(server)],
  tools: (server) => -server.tools_cached,
  requests: (server) => -server.request_count,
  errors: (server) => -server.error_rate,
  p95: (server) => -(server.latency_p95_ms ?? -1),
  restarts: (server) => -server.restart_count,
};

export const overviewView = {
  render() {
    const { status } = state;
    return [h("h1", { class: "sr" }, "Overview"), tiles(status), status.role === null ? simple() : whole(status)];
  },
  actions: {
    ...addActions,
    sort(button, context) {
      const key = button.dataset.sort;
      sort = { key, up: sort.key === key ? !sort.up : true };
      context.draw();
    },
    only(button, context) {
      only = button.dataset.only;
      context.draw();
    },
    more(_button, context) {
      showAll = true;
      context.draw();
    },
    revive(button, context) {
      revive(button, context, button.dataset.name);
    },
  },
  submits: { add: submitAdd },
  inputs: {
    filter(input, context) {
      filter = input.value.toLowerCase();
      context.draw();
    },
  },
};

export function revive(button, context, name) {
  const path = `/ui/api/backends/${encodeURIComponent(name)}/revive`;
  return context.act(
    button,
    () => context.ask(path, { method: "POST" }),
    ({ status, error }) =>
      status === "revived" ? `${name} is running again` : [`${name} did not start: ${error}`, "bad"],
  );
}

function tiles(status) {
  const { statistics } = state;
  const calls = statistics?.invocations ?? 0;
  const bad = statistics === undefined ? 0 : statistics.tool_error + statistics.failed;
  const asked = statistics === undefined ? 0 : statistics.ok + bad;
  const tokens = statistics?.tokens;
  const isKnown = tokens !== undefined && tokens.servers.length > 0;
  return h(
    "section",
    { class: "tiles", "aria-label": "Numbers" },
    tile(
      "Servers healthy",
      `${status.healthy_count} / ${status.server_count}`,
      status.degraded_count > 0
        ? `${status.degraded_count} need${status.degraded_count === 1 ? "s" : ""} attention`
        : status.server_count === 0
          ? "none configured"
          : "all is well",
      status.degraded_count > 0 ? "bad" : "good",
    ),
    status.role !== null && tile("Tools", count(status.tool_count), "behind the gateway"),
    status.role !== null &&
      tile("Calls", count(calls), state.inFlight > 0 ? `${state.inFlight} running now` : "none running"),
    status.role !== null &&
      tile(
        "Errors",
        asked === 0 ? "–" : percent(bad / asked),
        `${count(bad)} of ${plural(asked, "answer")}`,
        asked > 0 && bad / asked > 0.2 ? "bad" : "",
      ),
    status.role !== null && tile("Sessions", count(status.sessions), "clients connected"),
    status.role !== null &&
      tile(
        "Saved per session",
        isKnown ? count(tokens.saved_per_session) : "–",
        isKnown && tokens.not_listed.length > 0
          ? `tokens, ${tokens.not_listed.length} servers not counted`
          : "tokens of tool lists",
      ),
  );
}

function simple() {
  return h("p", { class: "muted pad" }, "This key has neither admin rights nor a role: only totals are shown.");
}

function whole(status) {
  const problems = problemsOf(status);
  return [
    problems.length > 0 &&
      h(
        "section",
        { class: "card problems", "aria-label": "Needs attention" },
        h("h2", {}, "Needs attention"),
        h("ul", {}, problems),
      ),
    status.servers.length === 0 ? firstSteps() : servers(status.servers),
    h(
      "section",
      { class: "card" },
      h("header", {}, h("h2", {}, "Last calls"), h("a", { href: "#/calls" }, "All calls")),
      table(
        [{ label: "Time" }, { label: "Call" }, { label: "Outcome" }, { label: "Took", class: "num" }],
        callRows(state.calls.slice(0, 6), clockTime),
        { caption: "Last calls", empty: "No call yet. It shows here the moment a client makes one." },
      ),
    ),
  ];
}

function problemsOf({ config_error, degraded, servers }) {
  return [
    config_error &&
      h(
        "li",
        { "data-key": "config" },
        h("div", {}, h("strong", {}, "The changed configuration is not in force"), h("pre", {}, config_error)),
        h("a", { class: "button", href: "#/config" }, "Configuration"),
      ),
    degraded.map((text) => h("li", {}, h("div", {}, h("strong", {}, text)))),
    servers
      .filter((server) => stateOf(server) === "unhealthy")
      .slice(0, 8)
      .map((server) =>
        h(
          "li",
          { "data-key": `server ${server.name}` },
          h(
            "div",
            {},
            h(
              "strong",
              {},
              serverLink(server.name),
              server.circuit_state === "open" ? " is given time to recover" : " does not run",
            ),
            h("p", { class: "reason" }, server.last_error ?? ""),
          ),
          h(
            "button",
            { type: "button", "data-action": "revive", "data-name": server.name, ...needs("operator") },
            "Restart",
          ),
        ),
      ),
  ]
    .flat()
    .filter(Boolean);
}

function firstSteps() {
  const endpoint = new URL("/mcp", location.href).href;
  return h(
    "section",
    { class: "card empty" },
    h("h2", {}, "No server yet"),
    h("p", {}, "Add one to the configuration; it is live at once:"),
    h("pre", {}, "mcp-gateway add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes"),
    h("p", {}, "Then connect a client:"),
    h("pre", {}, `claude mcp add --transport http gateway ${endpoint}`),
    canEdit() && h("p", {}, addButton()),
    addForm(),
  );
}

function servers(all) {
  const groups = { all: all.length };
  for (const server of all) groups[stateOf(server)] = (groups[stateOf(server)] ?? 0) + 1;
  const found = all.filter(
    (server) =>
      (only === "all" || stateOf(server) === only) &&
      `${server.name} ${server.description}`.toLowerCase().includes(filter),
  );
  if (sort.key !== "order") {
    const by = sorts[sort.key];
    found.sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0) * (sort.up ? 1 : -1));
  }
  const shown = showAll ? found : found.slice(0, shownAtOnce);
  const head = (label, key, number = true) => ({
    label,
    sortKey: key,
    class: number ? "num" : "",
    sort: sort.key === key ? (sort.up ? "ascending" : "descending") : undefined,
  });
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      {},
      h("h2", {}, "Servers"),
      h(
        "div",
        { class: "actions" },
        all.length > 8 &&
          h("input", {
            type: "search",
            placeholder: "Filter by name",
            "aria-label": "Filter servers",
            "data-input": "filter",
          }),
        addButton(),
      ),
    ),
    addForm(),
    all.length > 8 &&
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Show" },
        ["all", ...Object.keys(order)]
          .filter((name) => groups[name])
          .map((name) =>
            h(
              "button",
              {
                type: "button",
                class: "chip",
                "data-action": "only",
                "data-only": name,
                "aria-pressed": String(only === name),
              },
              `${name.replace("_", " ")} ${groups[name]}`,
            ),
          ),
      ),
    table(
      [
        head("Server", "name", false),
        head("State", "state", false),
        { label: "Circuit" },
        head("Tools", "tools"),
        head("Requests", "requests"),
        head("Errors", "errors"),
        head("p95", "p95"),
        head("Restarts", "restarts"),
      ],
      shown.map((server) => ({
        key: server.name,
        class: `row-${stateOf(server)}`,
        cells: [
          h(
            "div",
            { class: "name" },
            serverLink(server.name),
            h("span", { class: "kind" }, server.transport),
            h("div", { class: "muted clip" }, server.description),
          ),
          statePill(server),
          circuitPill(server),
          server.tools_known ? exact(server.tools_cached) : h("span", { class: "muted", title: "Never asked" }, "?"),
          count(server.request_count),
          rate(server.error_rate, server.success_count + server.failure_count),
          duration(server.latency_p95_ms),
          server.restart_count > 0 ? h("span", { class: "warn-text" }, String(server.restart_count)) : "0",
        ],
      })),
      { caption: "Servers", empty: "No server fits." },
    ),
    found.length > shown.length &&
      h("p", { class: "pad" }, h("button", { type: "button", "data-action": "more" }, `Show all ${found.length}`)),
  );
}

/** One server: how it is, what it offers, what it last said, and what can be done. */
import { h } from "../dom.js";
import { ago, clockTime, count, duration, percent, size } from "../format.js";
import { circuitPill, rate, replicaPill, sparkline, statePill, table, tile, toolLink, trend } from "../parts.js";
import { needs } from "../roles.js";
import { changed, state } from "../store.js";
import { isArmed, isSure } from "../sure.js";
import { yaml } from "../yaml.js";
import { canEdit } from "./add-server.js";
import { revive } from "./overview.js";

const renewMs = 3_000;
let detail;
let problem;
let name;
let timer;

async function load(context) {
  const wanted = name;
  clearTimeout(timer);
  try {
    const found = await context.ask(`/ui/api/backends/${encodeURIComponent(wanted)}`);
    if (name !== wanted) return;
    detail = found;
    problem = undefined;
  } catch (error) {
    if (name !== wanted) return;
    problem = error.message;
  }
  changed();
  timer = setTimeout(() => {
    if (location.hash.startsWith("#/server/")) load(context);
  }, renewMs);
}

export const serverView = {
  enter([wanted], context) {
    name = wanted;
    detail = undefined;
    problem = undefined;
    load(context);
  },
  render() {
    const back = h("p", { class: "crumbs" }, h("a", { href: "#/overview" }, "Servers"), " / ", name);
    if (detail === undefined)
      return [back, h("p", { class: problem ? "notice bad" : "muted pad" }, problem ?? "Asking …")];
    return [back, head(), numbers(), lastError(), replicas(), tools(), log(), config()];
  },
  actions: {
    async revive(button, context) {
      await revive(button, context, name);
      await load(context);
    },
    async stop(button, context) {
      await context.act(
        button,
        () => context.ask(`/ui/api/backends/${encodeURIComponent(name)}/stop`, { method: "POST" }),
        `${name} is stopped; its next call starts it`,
      );
      await load(context);
    },
    async switch(button, context) {
      const path = `/ui/api/backends/${encodeURIComponent(name)}`;
      const body = { enabled: !detail.enabled };
      await context.act(
        button,
        () => context.ask(path, { method: "PATCH", body }),
        ({ changes }) => changes,
      );
      await load(context);
    },
    async remove(button, context) {
      if (!isSure(`remove ${name}`)) return;
      const path = `/ui/api/backends/${encodeURIComponent(name)}`;
      await context.act(
        button,
        () => context.ask(path, { method: "DELETE" }),
        () => {
          location.hash = "#/overview";
          return `${name} is removed`;
        },
      );
    },
    async list(button, context) {
      await context.act(
        button,
        () => context.ask(`/ui/api/tools?limit=0&server=${encodeURIComponent(name)}`),
        ({ total }) => `${name} lists ${total} tools`,
      );
      await load(context);
    },
  },
};

function head() {
  const { enabled, description, transport, running } = detail;
  return h(
    "header",
    { class: "title" },
    h(
      "div",
      {},
      h("h1", {}, detail.name, " ", statePill(detail)),
      h("p", { class: "muted" }, description || "No description", h("span", { class: "kind" }, transport)),
    ),
    h(
      "div",
      { class: "actions" },
      enabled && [
        h(
          "button",
          { type: "button", class: "primary", "data-action": "revive", ...needs("operator") },
          running ? "Restart" : "Start",
        ),
        h("button", { type: "button", "data-action": "stop", disabled: !running, ...needs("operator") }, "Stop"),
      ],
      detail.config !== null &&
        state.status.config_path !== null &&
        h(
          "button",
          { type: "button", "data-action": "switch", title: "Written into the configuration file", ...needs("admin") },
          enabled ? "Disable" : "Enable",
        ),
      detail.config !== null &&
        canEdit() &&
        h(
          "button",
          { type: "button", "data-action": "remove", class: isArmed(`remove ${name}`) ? "danger" : undefined },
          isArmed(`remove ${name}`) ? "Really remove?" : "Remove",
        ),
    ),
  );
}

function numbers() {
  const asked = detail.success_count + detail.failure_count;
  return h(
    "section",
    { class: "tiles", "aria-label": "Numbers" },
    tile("Requests", count(detail.request_count), `${detail.in_flight} running`),
    tile(
      "Errors",
      asked === 0 ? "–" : percent(detail.error_rate),
      `${detail.failure_count} failed, ${detail.tool_error_count} tool errors`,
      detail.error_rate >= 0.2 ? "bad" : "",
    ),
    tile(
      "Latency p50",
      duration(detail.latency_p50_ms),
      `p95 ${duration(detail.latency_p95_ms)} · p99 ${duration(detail.latency_p99_ms)}`,
    ),
    h(
      "div",
      { class: "tile" },
      h("span", { class: "label" }, "Circuit"),
      h("strong", {}, circuitPill(detail)),
      h("span", { class: "note" }, `opened ${detail.circuit_trips} ×, ${detail.refused_count} refused`),
    ),
    tile("Restarts", String(detail.restart_count), detail.pid === null ? "no process" : `process ${detail.pid}`),
  );
}

function lastError() {
  return (
    detail.last_error !== null &&
    h("section", { class: "card problems" }, h("h2", {}, "Last error"), h("pre", {}, detail.last_error))
  );
}

function replicas() {
  return (
    detail.replicas !== undefined &&
    h(
      "section",
      { class: "card" },
      h("h2", {}, `Replicas ${detail.replicas.length}`),
      table(
        [
          { label: "Replica" },
          { label: "State" },
          { label: "Weight", class: "num" },
          { label: "Running", class: "num" },
          { label: "Requests", class: "num" },
          { label: "Failed", class: "num" },
          { label: "Restarts", class: "num" },
          { label: "Process", class: "num" },
        ],
        detail.replicas.map((replica) => ({
          key: replica.id,
          cells: [
            h(
              "div",
              { class: "name" },
              replica.id,
              h("span", { class: "kind" }, replica.transport),
              h("div", { class: "muted clip" }, replica.in_rotation ? replica.address : replica.last_error),
            ),
            replicaPill(replica),
            count(replica.weight),
            count(replica.in_flight),
            count(replica.request_count),
            count(replica.failure_count),
            count(replica.restart_count),
            replica.pid === null ? "–" : String(replica.pid),
          ],
        })),
        { caption: "Replicas" },
      ),
    )
  );
}

function tools() {
  const button =
    !detail.tools_known &&
    detail.enabled &&
    h("button", { type: "button", "data-action": "list" }, "Ask for its tools");
  return h(
    "section",
    { class: "card" },
    h("header", {}, h("h2", {}, `Tools ${detail.tools_known ? detail.tools.length : ""}`), button),
    table(
      [
        { label: "Tool" },
        { label: "Calls", class: "num" },
        { label: "Errors", class: "num" },
        { label: "p50", class: "num" },
        { label: "p95", class: "num" },
        { label: "Result", class: "num" },
        { label: "Trend" },
        { label: "24 hours" },
      ],
      [...detail.tools]
        .sort((a, b) => (b.profile?.calls ?? 0) - (a.profile?.calls ?? 0))
        .map(({ name: tool, description, profile }) => ({
          key: tool,
          cells: [
            h("div", { class: "name" }, toolLink(detail.name, tool), h("div", { class: "muted clip" }, description)),
            profile ? count(profile.calls) : h("span", { class: "muted" }, "0"),
            profile
              ? h(
                  "span",
                  { title: profile.last_error ? `${ago(profile.last_error.at)}: ${profile.last_error.reason}` : "" },
                  rate(profile.error_rate, profile.calls),
                )
              : "–",
            duration(profile?.latency_p50_ms),
            duration(profile?.latency_p95_ms),
            size(profile?.result_characters_mean),
            profile ? trend(profile) : "",
            profile ? sparkline(profile.hours) : "",
          ],
        })),
      { caption: "Tools", empty: detail.tools_known ? "It lists no tools." : "It was never asked for its tools." },
    ),
  );
}

function log() {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Log"),
    detail.log.length === 0
      ? h("p", { class: "muted pad" }, "Nothing yet.")
      : h(
          "ol",
          { class: "log", tabindex: "0", "aria-label": "Log, newest first" },
          [...detail.log]
            .reverse()
            .map(({ at, level, stream, text }) =>
              h(
                "li",
                { class: `level-${level}` },
                h("time", { datetime: at }, clockTime(at)),
                h("b", {}, stream ?? level),
                h("span", {}, text),
              ),
            ),
        ),
  );
}

function config() {
  return (
    detail.config !== null &&
    h(
      "section",
      { class: "card" },
      h("h2", {}, "Configuration in force"),
      h("pre", { class: "code" }, yaml(detail.config)),
    )
  );
}

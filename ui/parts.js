/** Pieces that several views show. */
import { h } from "./dom.js";
import { duration, percent } from "./format.js";

const lifecycles = {
  running: ["good", "Running"],
  dormant: ["idle", "Asleep"],
  not_started: ["idle", "Not started"],
  unhealthy: ["bad", "Unhealthy"],
  disabled: ["off", "Disabled"],
  starting: ["warn", "Starting"],
};

export function stateOf(server) {
  if (!server.enabled) return "disabled";
  if (server.state === "starting") return "starting";
  return server.lifecycle;
}

export function statePill(server) {
  const [tone, label] = lifecycles[stateOf(server)] ?? ["idle", server.lifecycle];
  return h("span", { class: `pill ${tone}` }, label);
}

export function replicaPill({ state, in_rotation }) {
  if (!in_rotation) return h("span", { class: "pill bad", title: "Its calls go to the others" }, "Passed over");
  const [tone, label] = { ready: lifecycles.running, starting: lifecycles.starting }[state] ?? lifecycles.dormant;
  return h("span", { class: `pill ${tone}` }, label);
}

export function circuitPill({ circuit_state, circuit_retry_after_ms }) {
  if (circuit_state === "closed") return h("span", { class: "muted" }, "closed");
  const rest = circuit_state === "open" && circuit_retry_after_ms > 0 ? ` ${duration(circuit_retry_after_ms)}` : "";
  return h(
    "span",
    { class: `pill ${circuit_state === "open" ? "bad" : "warn"}` },
    circuit_state === "open" ? `open${rest}` : "probing",
  );
}

export function rate(value, calls) {
  if (!calls) return h("span", { class: "muted" }, "–");
  return h("span", { class: value >= 0.2 ? "bad-text" : value > 0 ? "warn-text" : "" }, percent(value));
}

export function tile(label, value, note, tone) {
  return h(
    "div",
    { class: `tile ${tone ?? ""}` },
    h("span", { class: "label" }, label),
    h("strong", {}, value),
    h("span", { class: "note" }, note ?? ""),
  );
}

const kinds = {
  ok: ["good", "ok"],
  tool_error: ["warn", "tool error"],
  failed: ["bad", "failed"],
  refused: ["bad", "refused"],
  cancelled: ["idle", "cancelled"],
  cached: ["good", "cached"],
  repeated: ["good", "repeated"],
};

export function kindPill({ kind, code }) {
  const [tone, label] = kinds[kind] ?? ["idle", kind];
  return h("span", { class: `pill ${tone}`, title: code }, label);
}

/** Calls of the last 24 hours as bars, errors on top. */
export function sparkline(hours) {
  const most = Math.max(1, ...hours.map(({ calls }) => calls));
  const total = hours.reduce((sum, { calls }) => sum + calls, 0);
  return h(
    "svg",
    {
      class: "spark",
      viewBox: "0 0 96 24",
      role: "img",
      "aria-label": `${total} calls in 24 hours`,
      preserveAspectRatio: "none",
    },
    hours.flatMap(({ calls, errors }, at) => {
      const height = calls === 0 ? 1 : Math.max(2, (calls / most) * 22);
      const bad = calls === 0 ? 0 : (errors / calls) * height;
      return [
        h("rect", { x: at * 4, y: 24 - height, width: 3, height, class: calls === 0 ? "none" : "some" }),
        bad > 0 && h("rect", { x: at * 4, y: 24 - height, width: 3, height: bad, class: "errors" }),
      ];
    }),
  );
}

export function trend({ trend: found }) {
  if (!found) return "";
  const signs = { slower: ["bad-text", "▲ slower"], faster: ["good-text", "▼ faster"], steady: ["muted", "steady"] };
  const [tone, label] = signs[found.latency];
  return h("span", { class: tone, title: `${found.latency_ratio} × the time of the days before` }, label);
}

export function serverLink(name) {
  return h("a", { href: `#/server/${encodeURIComponent(name)}` }, name);
}

export function toolLink(server, tool) {
  return h("a", { href: `#/tools/${encodeURIComponent(server)}/${encodeURIComponent(tool)}` }, tool);
}

/** A table that becomes cards on a phone: each cell says what it is. */
export function table(heads, rows, { caption, empty } = {}) {
  if (rows.length === 0 && empty !== undefined) return h("p", { class: "muted pad" }, empty);
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      caption && h("caption", { class: "sr" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) =>
            h(
              "th",
              { scope: "col", class: head.class, "aria-sort": head.sort },
              head.sortKey
                ? h(
                    "button",
                    { class: "sort", type: "button", "data-action": "sort", "data-sort": head.sortKey },
                    head.label,
                  )
                : head.label,
            ),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(({ key, class: tone, cells }) =>
          h(
            "tr",
            { "data-key": key, class: tone },
            cells.map((cell, at) => h("td", { "data-label": heads[at].label, class: heads[at].class }, cell)),
          ),
        ),
      ),
    ),
  );
}

export function callRows(calls, clockTime) {
  return calls.map((call) => ({
    key: String(call.number),
    cells: [
      clockTime(call.ended_at),
      h(
        "span",
        {},
        serverLink(call.server),
        h("span", { class: "muted" }, " · "),
        call.tool === null ? h("span", { class: "muted" }, call.method) : toolLink(call.server, call.tool),
        call.reason && h("div", { class: "reason" }, call.reason),
      ),
      kindPill(call),
      duration(call.duration_ms),
    ],
  }));
}

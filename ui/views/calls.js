/** What runs now and what has just ended. */
import { h } from "../dom.js";
import { clockTime, duration, size } from "../format.js";
import { kindPill, serverLink, table, toolLink } from "../parts.js";
import { changed, state } from "../store.js";

let filter = "";
let onlyBad = false;
let paused;
let ticking;

export const callsView = {
  enter() {
    clearInterval(ticking);
    // The time of what runs goes on between two events.
    ticking = setInterval(() => {
      if (!location.hash.startsWith("#/calls")) clearInterval(ticking);
      else if (state.running.length > 0) changed();
    }, 500);
  },
  render() {
    const { calls, running } = paused ?? state;
    const fits = (call) =>
      `${call.server} ${call.tool ?? call.method} ${call.caller} ${call.code} ${call.request_id}`
        .toLowerCase()
        .includes(filter);
    const shown = calls.filter((call) => fits(call) && (!onlyBad || call.kind !== "ok"));
    return [
      h("h1", { class: "sr" }, "Calls"),
      h(
        "div",
        { class: "finder" },
        h("input", {
          type: "search",
          placeholder: "Filter by server, tool, caller, code or request id",
          "aria-label": "Filter calls",
          "data-input": "filter",
        }),
        h("label", { class: "check" }, h("input", { type: "checkbox", "data-input": "bad" }), "Only what went wrong"),
        h(
          "button",
          { type: "button", "data-action": "pause", "aria-pressed": String(paused !== undefined) },
          paused ? "Go on" : "Pause",
        ),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, `Running ${running.length || ""}`),
        table(
          [{ label: "Since", class: "num" }, { label: "Call" }, { label: "Caller" }, { label: "Request" }],
          running.map((call) => ({
            key: call.request_id + call.server + call.tool,
            cells: [
              h("strong", {}, duration(Date.now() - call.since)),
              what(call),
              call.caller,
              h("code", {}, call.request_id),
            ],
          })),
          { caption: "Running calls", empty: "Nothing runs right now." },
        ),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Ended"),
        table(
          [
            { label: "Time" },
            { label: "Call" },
            { label: "Outcome" },
            { label: "Took", class: "num" },
            { label: "Result", class: "num" },
            { label: "Caller" },
            { label: "Request" },
          ],
          shown.map((call) => ({
            key: String(call.number),
            cells: [
              clockTime(call.ended_at),
              h("div", {}, what(call), call.reason && h("div", { class: "reason" }, call.code, ": ", call.reason)),
              kindPill(call),
              duration(call.duration_ms),
              size(call.characters),
              call.caller,
              h("code", {}, call.request_id),
            ],
          })),
          {
            caption: "Ended calls",
            empty: calls.length === 0 ? "No call yet. It shows here the moment a client makes one." : "No call fits.",
          },
        ),
      ),
    ];
  },
  actions: {
    pause() {
      paused = paused === undefined ? { calls: state.calls, running: state.running } : undefined;
      changed();
    },
  },
  inputs: {
    filter(input) {
      filter = input.value.toLowerCase();
      changed();
    },
    bad(input) {
      onlyBad = input.checked;
      changed();
    },
  },
};

function what({ server, tool, method }) {
  return h(
    "span",
    {},
    serverLink(server),
    h("span", { class: "muted" }, " · "),
    tool === null ? h("span", { class: "muted" }, method) : toolLink(server, tool),
  );
}

/** Calls a tool with what was filled in, the same way as every call, and shows what comes back. */
import { ask } from "../api.js";
import { h } from "../dom.js";
import { duration } from "../format.js";
import { needs } from "../roles.js";
import { fields, values } from "../schema-form.js";
import { changed, refresh } from "../store.js";

let result;
let running;
let asJson = false;
/** Typed as JSON; kept between the two ways of filling in. */
let rawText = "{}";

export function clearResult() {
  running?.abort();
  running = undefined;
  result = undefined;
  rawText = "{}";
}

export function tryIt(tool) {
  const isPlain = !asJson;
  return h(
    "section",
    { class: "try" },
    h(
      "header",
      {},
      h("h3", {}, "Try it"),
      h(
        "button",
        { type: "button", class: "quiet", "data-action": "as-json" },
        isPlain ? "Fill in as JSON" : "Fill in a form",
      ),
    ),
    h(
      "form",
      {
        "data-submit": "try",
        "data-server": tool.server,
        "data-tool": tool.name,
        "data-key": isPlain ? "form" : "json",
      },
      isPlain
        ? [
            fields(tool.schema),
            Object.keys(tool.schema?.properties ?? {}).length === 0 &&
              h("p", { class: "muted" }, "It takes no arguments."),
          ]
        : h(
            "textarea",
            {
              name: "raw",
              rows: 8,
              spellcheck: "false",
              class: "code",
              "aria-label": "Arguments as JSON",
              "data-keep": true,
            },
            rawText,
          ),
      h(
        "p",
        { class: "actions" },
        h(
          "button",
          { class: "primary", type: "submit", disabled: running !== undefined, ...needs("operator") },
          running ? "Running …" : "Run",
        ),
        running !== undefined && h("button", { type: "button", "data-action": "cancel" }, "Cancel"),
      ),
    ),
    result && outcome(result),
  );
}

export const tryItActions = {
  "as-json"(button) {
    const form = button.closest("section").querySelector("form");
    if (!asJson) {
      try {
        rawText = JSON.stringify(values(form), null, 2);
      } catch {
        // What cannot be read cannot be carried over.
      }
    }
    asJson = !asJson;
    changed();
  },
  cancel() {
    running?.abort();
  },
  submits: {
    async try(form) {
      let args;
      try {
        args = asJson ? JSON.parse(form.elements.raw.value) : values(form);
      } catch (error) {
        result = { problem: error.message };
        changed();
        return;
      }
      const own = new AbortController();
      running = own;
      result = undefined;
      changed();
      const { server, tool } = form.dataset;
      let answer;
      try {
        answer = await ask("/ui/api/tools/call", {
          method: "POST",
          body: { server, tool, arguments: args, nonce: newNonce() },
          signal: own.signal,
        });
      } catch (error) {
        answer = { problem: own.signal.aborted ? "Cancelled" : error.message, hint: error.hint };
      }
      if (running !== own) return;
      running = undefined;
      result = answer;
      changed();
      refresh();
    },
  },
};

function outcome({ problem, hint, result: found, duration_ms, request_id }) {
  if (problem !== undefined)
    return h("div", { class: "notice bad", role: "alert" }, problem, hint && h("p", { class: "muted" }, hint));
  const blocks = Array.isArray(found.content) ? found.content : [];
  return h(
    "div",
    { class: "outcome", role: "status" },
    h(
      "p",
      {},
      h("span", { class: `pill ${found.isError ? "warn" : "good"}` }, found.isError ? "tool error" : "ok"),
      h("span", { class: "muted" }, ` ${duration(duration_ms)} · request ${request_id}`),
    ),
    blocks.map(block),
    found.structuredContent !== undefined &&
      h(
        "details",
        {},
        h("summary", {}, "Structured content"),
        h("pre", { class: "code" }, JSON.stringify(found.structuredContent, null, 2)),
      ),
    h("details", {}, h("summary", {}, "Whole result"), h("pre", { class: "code" }, JSON.stringify(found, null, 2))),
  );
}

const imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];

function block(one) {
  if (one?.type === "text") return h("pre", { class: "code" }, pretty(one.text));
  if (one?.type === "image" && imageTypes.includes(one.mimeType))
    return h("img", { class: "picture", alt: "Result", src: `data:${one.mimeType};base64,${one.data}` });
  return h("pre", { class: "code" }, JSON.stringify(one, null, 2));
}

function pretty(text) {
  const start = String(text).trimStart()[0];
  if (start !== "{" && start !== "[") return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** For gateways that take no call without one (`security.message_signing.require_nonce`). */
function newNonce() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

/** Finds a tool as models do, shows all of it, and tries it. */
import { h } from "../dom.js";
import { duration } from "../format.js";
import { changed, state } from "../store.js";
import { clearResult, tryIt, tryItActions } from "./try-it.js";

const shownAtOnce = 80;
const waitMs = 180;
let query = "";
let server = "";
let found;
let problem;
let showAll = false;
let asking = 0;
let timer;
let opened;
let tookMs = 0;

async function search(context) {
  const turn = ++asking;
  const from = performance.now();
  try {
    const limit = String(showAll ? 100_000 : shownAtOnce);
    const parameters = new URLSearchParams({ limit, ...(query && { q: query }), ...(server && { server }) });
    const answer = await context.ask(`/ui/api/tools?${parameters}`);
    if (turn !== asking) return;
    tookMs = performance.now() - from;
    found = answer;
    problem = undefined;
  } catch (error) {
    if (turn !== asking) return;
    problem = error.message;
  }
  changed();
}

export const toolsView = {
  enter([ofServer, tool], context) {
    if (ofServer === undefined) opened = undefined;
    else open(ofServer, tool, context);
    if (found === undefined || ofServer === undefined) search(context);
  },
  render([ofServer, tool]) {
    const servers = (state.status.servers ?? []).filter(({ enabled }) => enabled);
    return [
      h("h1", { class: "sr" }, "Tools"),
      h(
        "div",
        { class: "finder" },
        h("input", {
          type: "search",
          placeholder: "What should the tool do? verb + object",
          "aria-label": "Search tools",
          "data-input": "query",
          "data-key": "query",
        }),
        h(
          "select",
          { "aria-label": "Server", "data-input": "server", "data-key": "server" },
          h("option", { value: "" }, "All servers"),
          servers.map(({ name }) => h("option", { value: name, "data-key": name }, name)),
        ),
      ),
      h(
        "div",
        { class: `split ${tool === undefined ? "" : "opened"}` },
        results(ofServer, tool),
        tool === undefined ? placeholder() : detail(ofServer, tool),
      ),
    ];
  },
  actions: {
    ...tryItActions,
    more(_button, context) {
      showAll = true;
      search(context);
    },
    async list(button, context) {
      await context.act(
        button,
        () => context.ask(`/ui/api/tools?limit=0&server=${encodeURIComponent(button.dataset.name)}`),
        ({ total }) => `${button.dataset.name} lists ${total} tools`,
      );
      search(context);
    },
  },
  inputs: {
    query(input, context) {
      query = input.value.trim();
      showAll = false;
      clearTimeout(timer);
      timer = setTimeout(search, waitMs, context);
    },
    server(select, context) {
      server = select.value;
      showAll = false;
      search(context);
    },
  },
  submits: tryItActions.submits,
};

async function open(ofServer, tool, context) {
  opened = undefined;
  clearResult();
  const pick = (answer) => answer?.tools.find((one) => one.server === ofServer && one.name === tool);
  opened = pick(found);
  if (opened === undefined) {
    try {
      const answer = await context.ask(`/ui/api/tools?server=${encodeURIComponent(ofServer)}`);
      opened = pick(answer) ?? { missing: `"${ofServer}" has no tool named "${tool}"` };
    } catch (error) {
      opened = { missing: error.message };
    }
    changed();
  }
}

function results(ofServer, tool) {
  if (problem !== undefined) return h("p", { class: "notice bad" }, problem);
  if (found === undefined) return h("p", { class: "muted pad" }, "Asking …");
  return h(
    "div",
    { class: "card results" },
    h(
      "p",
      { class: "muted small pad", role: "status" },
      query ? `${found.total} found in ${duration(tookMs)}, best first` : `${found.total} tools`,
    ),
    found.not_listed.length > 0 &&
      h(
        "div",
        { class: "chips pad" },
        found.not_listed.slice(0, 12).map((name) =>
          h(
            "button",
            {
              type: "button",
              class: "chip",
              "data-key": name,
              "data-action": "list",
              "data-name": name,
              title: "It was never asked for its tools",
            },
            `Ask ${name}`,
          ),
        ),
        found.not_listed.length > 12 &&
          h("span", { class: "muted small" }, `and ${found.not_listed.length - 12} more that were never asked`),
      ),
    h(
      "ul",
      { class: "list" },
      found.tools.map((one) => {
        const isOpen = one.server === ofServer && one.name === tool;
        return h(
          "li",
          { "data-key": `${one.server} ${one.name}` },
          h(
            "a",
            {
              href: `#/tools/${encodeURIComponent(one.server)}/${encodeURIComponent(one.name)}`,
              "aria-current": isOpen ? "true" : undefined,
            },
            h("strong", {}, one.name),
            h("span", { class: "kind" }, one.server),
            h("div", { class: "muted clip" }, one.description),
          ),
        );
      }),
    ),
    found.tools.length === 0 &&
      h(
        "p",
        { class: "muted pad" },
        query ? "Nothing fits. Try other words: one action, verb and object." : "No tool is known yet.",
      ),
    found.tools.length < found.total &&
      h("p", { class: "pad" }, h("button", { type: "button", "data-action": "more" }, `Show all ${found.total}`)),
  );
}

function placeholder() {
  return h(
    "div",
    { class: "card empty wide-only" },
    h("h2", {}, "Pick a tool"),
    h("p", { class: "muted" }, "See what it says of itself and try it. The search is the one that models use."),
  );
}

function detail(ofServer, tool) {
  const back = h("a", { class: "back narrow-only", href: "#/tools" }, "← All tools");
  if (opened === undefined)
    return h("div", { class: "card", "data-key": "asking" }, back, h("p", { class: "muted pad" }, "Asking …"));
  if (opened.missing)
    return h("div", { class: "card", "data-key": "missing" }, back, h("p", { class: "notice bad" }, opened.missing));
  const { title, description, annotations, schema } = opened;
  return h(
    "article",
    { class: "card tool", "data-key": `${ofServer} ${tool}` },
    back,
    h("h2", {}, opened.name),
    h(
      "p",
      {},
      h("a", { class: "kind", href: `#/server/${encodeURIComponent(opened.server)}` }, opened.server),
      title && title !== opened.name && h("span", { class: "muted" }, ` ${title}`),
      badges(annotations),
    ),
    h("p", { class: "description" }, description || "It says nothing about itself."),
    tryIt(opened),
    h("details", {}, h("summary", {}, "Input schema"), h("pre", { class: "code" }, JSON.stringify(schema, null, 2))),
  );
}

function badges(annotations) {
  if (!annotations) return undefined;
  const known = {
    readOnlyHint: ["good", "reads only"],
    destructiveHint: ["bad", "may destroy"],
    idempotentHint: ["good", "repeatable"],
    openWorldHint: ["idle", "open world"],
  };
  return Object.entries(known)
    .filter(([name]) => annotations[name] === true)
    .map(([, [tone, label]]) => h("span", { class: `pill ${tone}`, title: "As the server says" }, label));
}

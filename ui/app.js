/** Puts the page together: the frame, the view that the address names, and what buttons do. */
import { ask, hasToken, setToken } from "./api.js";
import { h, show } from "./dom.js";
import { plural, uptime } from "./format.js";
import { changed, onChange, refresh, state } from "./store.js";
import { callsView } from "./views/calls.js";
import { clientsView } from "./views/clients.js";
import { configView } from "./views/config.js";
import { lockedView } from "./views/locked.js";
import { overviewView } from "./views/overview.js";
import { safetyView } from "./views/safety.js";
import { serverView } from "./views/server.js";
import { tokensView } from "./views/tokens.js";
import { toolsView } from "./views/tools.js";

/**
 * A view is `render(arguments of the address)` → nodes, and may have `enter` for when it is opened, `actions` by the
 * `data-action` of buttons and links, `inputs` by the `data-input` of fields, `submits` by the `data-submit` of forms.
 */
const views = {
  overview: overviewView,
  server: serverView,
  tools: toolsView,
  calls: callsView,
  tokens: tokensView,
  clients: clientsView,
  safety: safetyView,
  config: configView,
};
const sections = [
  ["overview", "Overview", "M3 12 12 4l9 8M6 10v9h12v-9"],
  ["tools", "Tools", "M14 6a4 4 0 0 0 5 5l-9 9-4-4 9-9a4 4 0 0 1-1-1Z"],
  ["calls", "Calls", "M3 12h4l3 7 4-14 3 7h4"],
  ["tokens", "Tokens", "M12 3v18M7 8c0-2 2-3 5-3s5 1 5 3-2 3-5 4-5 2-5 4 2 3 5 3 5-1 5-3"],
  ["clients", "Clients", "M4 6h16v10H4zM9 20h6M12 16v4"],
  ["safety", "Safety", "M12 3l8 3v6c0 4-3 7-8 9-5-2-8-5-8-9V6Z"],
  ["config", "Config", "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4"],
];
const byId = (id) => document.getElementById(id);
const [bar, nav, banner, content, toasts] = ["bar", "nav", "banner", "content", "toasts"].map(byId);

function place() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return Object.hasOwn(views, name) ? { name, rest } : { name: "overview", rest: [] };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let last = "";

function current() {
  return state.connection === "locked" ? lockedView : views[place().name];
}

function draw() {
  const { name, rest } = place();
  const view = current();
  const key = view === lockedView ? "locked" : [name, ...rest].join("/");
  const isNew = key !== last;
  if (isNew) {
    content.replaceChildren();
    content.scrollTop = 0;
    last = key;
    view.enter?.(rest, context);
  }
  drawFrame(name);
  if (state.status !== undefined || state.connection === "locked")
    show(
      content,
      view !== lockedView && state.status.role === null && name !== "overview" ? needsRole() : view.render(rest),
    );
  else if (state.connection === "offline")
    show(content, h("p", { class: "muted pad" }, "The gateway does not answer yet."));
  if (isNew && view === lockedView) content.querySelector("input")?.focus();
}

function drawFrame(active) {
  const { status, connection } = state;
  const problems = status?.degraded_count > 0 || status?.degraded?.length > 0 || status?.config_error;
  const [tone, text] =
    connection === "online"
      ? status.draining
        ? ["warn", "Stopping"]
        : problems
          ? ["bad", "Degraded"]
          : ["good", "Healthy"]
      : connection === "offline"
        ? ["bad", "Not reachable"]
        : connection === "locked"
          ? ["idle", "Locked"]
          : ["idle", "Connecting"];
  show(
    bar,
    h(
      "a",
      { class: "brand", href: "#/overview" },
      h("img", { src: "/ui/icon.svg", alt: "", width: 26, height: 26 }),
      h("span", {}, "MCP Gateway"),
    ),
    h("span", { class: `pill ${tone}`, id: "state" }, text),
    status &&
      connection !== "locked" &&
      h(
        "span",
        { class: "facts muted" },
        `v${status.version}`,
        h("span", { class: "wide" }, ` · up ${uptime(status.uptime_secs)}`),
      ),
    h("span", { class: "grow" }),
    hasToken() && h("button", { class: "quiet", "data-action": "sign-out", type: "button" }, "Sign out"),
    h(
      "button",
      {
        class: "quiet icon",
        "data-action": "theme",
        type: "button",
        title: "Light or dark",
        "aria-label": "Light or dark",
      },
      h(
        "svg",
        { viewBox: "0 0 24 24", "aria-hidden": "true" },
        h("path", { d: "M12 3a9 9 0 1 0 0 18Z" }),
        h("circle", { cx: 12, cy: 12, r: 9 }),
      ),
    ),
  );
  show(
    nav,
    connection === "locked"
      ? []
      : sections.map(([name, label, path]) => {
          const isActive = name === active || (name === "overview" && active === "server");
          return h(
            "a",
            { href: `#/${name}`, "data-key": name, "aria-current": isActive ? "page" : undefined },
            h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: path })),
            h("span", {}, label),
            name === "calls" &&
              state.inFlight > 0 &&
              h("b", { class: "badge", title: `${plural(state.inFlight, "call")} running` }, String(state.inFlight)),
          );
        }),
  );
  show(
    banner,
    connection === "offline" &&
      h(
        "p",
        { class: "notice bad" },
        "The gateway does not answer. Trying again …",
        state.reason && h("span", { class: "muted" }, ` ${state.reason}`),
      ),
  );
}

function needsRole() {
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "This needs a role"),
    h(
      "p",
      {},
      "The key you signed in with may use the gateway, but not look into it. Sign in with ",
      h("code", {}, "auth.bearer_token"),
      ", or a key with ",
      h("code", {}, "admin: true"),
      ", or as somebody with a role of ",
      h("code", {}, "control_plane"),
      ".",
    ),
  );
}

/** Says briefly what happened. */
function toast(text, tone = "good") {
  const note = h("p", { class: `toast ${tone}` }, text);
  toasts.append(note);
  setTimeout(() => note.remove(), tone === "bad" ? 9_000 : 4_000);
}

/** What views may use. */
const context = {
  toast,
  draw,
  /** Runs an action of the API, says how it went, and looks again. */
  async act(button, work, done) {
    button?.setAttribute("disabled", "");
    try {
      const outcome = await work();
      const text = typeof done === "function" ? done(outcome) : done;
      if (Array.isArray(text)) toast(...text);
      else toast(text);
    } catch (error) {
      toast(error.hint ? `${error.message}. ${error.hint}` : error.message, "bad");
    }
    button?.removeAttribute("disabled");
    await refresh();
  },
  ask,
};

const ownActions = {
  "sign-out"() {
    setToken(undefined);
    state.status = undefined;
    refresh();
  },
  theme() {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
    const next = shown === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("mcp-gateway-theme", next);
  },
};

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-action]");
  if (target === null) return;
  const action = ownActions[target.dataset.action] ?? current().actions?.[target.dataset.action];
  if (action === undefined) return;
  if (target.tagName !== "A") event.preventDefault();
  action(target, context, place().rest);
});
document.addEventListener("input", (event) => {
  const name = event.target.dataset?.input;
  if (name !== undefined) current().inputs?.[name]?.(event.target, context, place().rest);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  current().submits?.[event.target.dataset.submit]?.(event.target, context, place().rest);
});
/** `/` goes to the search of the view, as in most places. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName))
    return;
  const search = content.querySelector("input[type=search]");
  if (search === null) return;
  event.preventDefault();
  search.focus();
});

const theme = localStorage.getItem("mcp-gateway-theme");
if (theme !== null) document.documentElement.dataset.theme = theme;
addEventListener("hashchange", () => {
  draw();
  content.focus({ preventScroll: true });
});
onChange(draw);
changed();
refresh();

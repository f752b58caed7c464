/** Adds a server to the configuration file; offered only where a token proves who asks. */
import { h } from "../dom.js";
import { hasRole } from "../roles.js";
import { changed, refresh, state } from "../store.js";

let isOpen = false;
let problem = "";

export function canEdit() {
  return hasRole("admin") && state.status.auth_enabled && state.status.config_path !== null;
}

export function addButton() {
  return (
    canEdit() &&
    h(
      "button",
      { type: "button", "data-action": "add", "aria-expanded": String(isOpen) },
      isOpen ? "Close" : "Add a server",
    )
  );
}

export function addForm() {
  if (!isOpen || !canEdit()) return undefined;
  const field = (name, label, attributes) =>
    h(
      "div",
      { class: "field" },
      h("label", { for: `add-${name}` }, label),
      h("input", { id: `add-${name}`, name, spellcheck: "false", autocomplete: "off", ...attributes }),
    );
  return h(
    "form",
    { class: "add", "data-submit": "add", "data-key": "add" },
    field("name", "Name", { required: true }),
    field("description", "What it is for"),
    field("command", "Command of a program", { placeholder: "npx -y @modelcontextprotocol/server-filesystem ~/notes" }),
    field("url", "or address of an HTTP server", { type: "url", placeholder: "https://example.com/mcp" }),
    h(
      "div",
      { class: "field" },
      h("label", { for: "add-env" }, "Variables, one NAME=value a line"),
      h("textarea", { id: "add-env", name: "env", rows: 2, spellcheck: "false", placeholder: "API_KEY=…" }),
    ),
    h("p", { class: "error", role: "alert" }, problem),
    h("p", { class: "actions" }, h("button", { class: "primary", type: "submit" }, "Add")),
  );
}

export const addActions = {
  add() {
    isOpen = !isOpen;
    problem = "";
    changed();
    if (isOpen) document.getElementById("add-name")?.focus();
  },
};

export async function submitAdd(form, context) {
  const given = new FormData(form);
  const body = {};
  for (const name of ["name", "description", "command", "url"]) {
    const value = given.get(name).trim();
    if (value !== "") body[name] = value;
  }
  const lines = given
    .get("env")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const env = lines.map((line) => /^\s*([^=\s]+)\s*=(.*)$/.exec(line));
  if (env.includes(null)) problem = `"${lines[env.indexOf(null)]}" is not NAME=value`;
  else if ((body.command === undefined) === (body.url === undefined))
    problem = "Give a command or an address, one of them";
  else {
    if (env.length > 0) body.env = Object.fromEntries(env.map(([, name, value]) => [name, value.trim()]));
    try {
      await context.ask("/ui/api/backends", { method: "POST", body });
      problem = "";
      isOpen = false;
      context.toast(`${body.name} is added`);
      await refresh();
      location.hash = `#/server/${encodeURIComponent(body.name)}`;
      return;
    } catch (error) {
      problem = error.hint ? `${error.message}. ${error.hint}` : error.message;
    }
  }
  changed();
}

/** The configuration in force, secrets hidden, and reading the file again. */
import { h } from "../dom.js";
import { renewed } from "../renewed.js";
import { needs } from "../roles.js";
import { changed } from "../store.js";
import { yaml } from "../yaml.js";

let filter = "";
const asked = renewed("config", (context) => context.ask("/ui/api/config"));

export const configView = {
  enter(_rest, context) {
    asked.load(context);
  },
  render() {
    const notice = asked.notice();
    if (notice !== undefined) return notice;
    const config = asked.value;
    const sections = Object.entries(config.settings).filter(([name, value]) =>
      `${name} ${JSON.stringify(value)}`.toLowerCase().includes(filter),
    );
    return [
      h(
        "header",
        { class: "title" },
        h(
          "div",
          {},
          h("h1", {}, "Configuration"),
          h(
            "p",
            { class: "muted" },
            config.path === null
              ? "The gateway runs without a file: everything is default."
              : ["From ", h("code", {}, config.path), ". The file is watched; a valid change is live at once."],
          ),
        ),
        config.path !== null &&
          h(
            "div",
            { class: "actions" },
            h(
              "button",
              { type: "button", class: "primary", "data-action": "reload", ...needs("operator") },
              "Read the file again",
            ),
          ),
      ),
      config.error !== null &&
        h(
          "section",
          { class: "card problems" },
          h("h2", {}, "The file as it is now cannot be used; the one before stays in force"),
          h("pre", {}, config.error),
        ),
      h(
        "div",
        { class: "finder" },
        h("input", {
          type: "search",
          placeholder: "Find a setting",
          "aria-label": "Find a setting",
          "data-input": "filter",
        }),
      ),
      sections.map(([name, value]) =>
        h("section", { class: "card", "data-key": name }, h("h2", {}, name), h("pre", { class: "code" }, yaml(value))),
      ),
      sections.length === 0 && h("p", { class: "muted pad" }, "No setting fits."),
      h(
        "p",
        { class: "muted small pad" },
        "These are the effective settings, defaults included. Secrets, variables and headers are hidden.",
      ),
    ];
  },
  actions: {
    async reload(button, context) {
      await context.act(
        button,
        () => context.ask("/ui/api/reload", { method: "POST" }),
        ({ changes, restart_required }) => `${changes}${restart_required ? "; restart needed" : ""}`,
      );
      await asked.load(context);
    },
  },
  inputs: {
    filter(input) {
      filter = input.value.toLowerCase();
      changed();
    },
  },
};

/** Asks for the token. It is kept for this tab only. */
import { setToken } from "../api.js";
import { h } from "../dom.js";
import { refresh, state } from "../store.js";

let isWrong = false;

export const lockedView = {
  render() {
    return h(
      "form",
      { class: "card lock", "data-submit": "token", autocomplete: "off" },
      h("h1", {}, "Sign in"),
      h(
        "p",
        { class: "muted" },
        "This gateway asks for a token: the ",
        h("code", {}, "auth.bearer_token"),
        " of its configuration, or an API key.",
      ),
      h("label", { for: "token" }, "Token"),
      h("input", {
        id: "token",
        name: "token",
        type: "password",
        required: true,
        spellcheck: "false",
        autocomplete: "off",
        "aria-describedby": "lock-error",
      }),
      h("p", { id: "lock-error", class: "error", role: "alert" }, isWrong ? state.reason : ""),
      h("button", { class: "primary", type: "submit" }, "Sign in"),
      h("p", { class: "muted small" }, "It stays in this tab and is forgotten when you close it."),
    );
  },
  submits: {
    async token(form) {
      setToken(new FormData(form).get("token").trim());
      isWrong = true;
      await refresh();
      if (state.connection === "online") isWrong = false;
      else if (state.connection === "locked") {
        setToken(undefined);
        form.reset();
      }
    },
  },
};

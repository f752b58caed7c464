/** What a view shows of the gateway while it is open, asked for again and again. */
import { h } from "./dom.js";
import { changed } from "./store.js";

const renewMs = 3_000;

/**
 * @param name of the view in the address
 * @param ask gives what is to be shown
 * @returns `value` as last asked, `load`, which asks at once, and `notice`, what to show where there is no value
 */
export function renewed(name, ask) {
  let timer;
  let problem;
  const shown = {
    value: undefined,
    /** `undefined` where there is a value. */
    notice() {
      if (problem !== undefined) return h("p", { class: "notice bad" }, problem);
      return shown.value === undefined ? h("p", { class: "muted pad" }, "Asking …") : undefined;
    },
    async load(context) {
      clearTimeout(timer);
      try {
        shown.value = await ask(context);
        problem = undefined;
      } catch (error) {
        problem = error.message;
      }
      changed();
      timer = setTimeout(() => {
        if (location.hash.startsWith(`#/${name}`)) shown.load(context);
      }, renewMs);
    },
  };
  return shown;
}

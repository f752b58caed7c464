/** What a view shows of the gateway while it is open, asked for again and again. */
import { changed } from "./store.js";

const renewMs = 3_000;

/**
 * @param name of the view in the address
 * @param ask gives what is to be shown
 * @returns `value` as last asked, `problem` in words when that failed, and `load`, which asks at once
 */
export function renewed(name, ask) {
  let timer;
  const shown = {
    value: undefined,
    problem: undefined,
    async load(context) {
      clearTimeout(timer);
      try {
        shown.value = await ask(context);
        shown.problem = undefined;
      } catch (error) {
        shown.problem = error.message;
      }
      changed();
      timer = setTimeout(() => {
        if (location.hash.startsWith(`#/${name}`)) shown.load(context);
      }, renewMs);
    },
  };
  return shown;
}

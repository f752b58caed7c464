/** Buttons that do harm are pressed twice. */
import { changed } from "./store.js";

/** Time to press a second time. */
const sureMs = 4_000;
let armed;

/** Whether the button of that was pressed once, a moment ago. */
export function isArmed(what) {
  return armed === what;
}

/** For its action: true when it is the second time. */
export function isSure(what) {
  const again = armed === what;
  armed = again ? undefined : what;
  if (!again)
    setTimeout(() => {
      if (armed === what) armed = undefined;
      changed();
    }, sureMs);
  changed();
  return again;
}

/** What the caller's role lets be done: buttons for more than that are there, but say why they cannot be pressed. */
import { state } from "./store.js";

const ladder = ["viewer", "operator", "admin"];

export function hasRole(least) {
  return ladder.indexOf(state.status?.role) >= ladder.indexOf(least);
}

/** Attributes of a button that needs this role. */
export function needs(least) {
  return hasRole(least) ? {} : { disabled: true, title: `This needs the role ${least}` };
}

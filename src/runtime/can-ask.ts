/** Whether there is a person to ask: both ends are a terminal, not just some device. */
import { isatty } from "node:tty";

export function canAsk(): boolean {
  return isatty(0) && isatty(1);
}

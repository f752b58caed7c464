/** Ids of requests as logs, errors and `X-Request-Id` show them: unique across restarts, not secret, and cheap to make. */
import { randomToken } from "../runtime/random.ts";

const ownIdPattern = /^[A-Za-z0-9._-]{1,64}$/;
const start = randomToken(6);
let count = 0;

export function newRequestId(): string {
  count++;
  return `${start}-${count}`;
}

/** The client's own id where it is fit for a log line, else a new one. */
export function requestIdFrom(header: string | null): string {
  return header !== null && ownIdPattern.test(header) ? header : newRequestId();
}

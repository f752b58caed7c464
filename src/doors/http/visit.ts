/** Who comes through the HTTP door, and what is known of a request before any route sees it. */
import type { Caller } from "../../core/caller.ts";
import type { Peer } from "../../runtime/serve.ts";

/** The other end, that of the tunnel where a request came through one, and who it is by its client certificate. */
export interface Guest extends Omit<Peer, "port"> {
  /**
   * Absent where certificates say nothing of callers, `nobody` for one without. Worked out anew each time, by the policies
   * then in force; throws DeniedError FORBIDDEN when none matches.
   */
  readonly certified?: Caller | "nobody" | undefined;
}

/** One HTTP request as the door has established it. */
export interface Visit {
  readonly request: Request;
  readonly peer: Guest;
  readonly requestId: string;
  /** Path of the address as it came, not decoded, without query. */
  readonly path: string;
  readonly caller: Caller;
  /** Origin of another site that `server.allowed_origins` names; the answer then says that it may be read there. */
  readonly crossOrigin: string | undefined;
}

/** What an answer needs to know; all there is when a request is refused before it became a {@link Visit}. */
export type Asker = Pick<Visit, "requestId" | "crossOrigin">;

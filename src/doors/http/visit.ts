/** One HTTP request as the door has established it, before any route sees it. */
import type { Caller } from "../../core/caller.ts";
import type { Peer } from "../../runtime/serve.ts";

export interface Visit {
  readonly request: Request;
  readonly peer: Peer;
  readonly requestId: string;
  /** Path of the address as it came, not decoded, without query. */
  readonly path: string;
  readonly caller: Caller;
  /** Origin of another site that `server.allowed_origins` names; the answer then says that it may be read there. */
  readonly crossOrigin: string | undefined;
}

/** What an answer needs to know; all there is when a request is refused before it became a {@link Visit}. */
export type Asker = Pick<Visit, "requestId" | "crossOrigin">;

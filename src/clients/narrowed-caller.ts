import type { Caller } from "../core/caller.ts";
import type { FaceHost } from "./host.ts";
import type { Session } from "./session.ts";

/** The caller as far as the routing profile and the state of the session let him; equal ones are one. */
export function narrowedCaller(
  { profiles, views }: Pick<FaceHost, "profiles" | "views">,
  caller: Caller,
  { profile, state }: Partial<Pick<Session, "profile" | "state">>,
): Caller {
  return views.narrow(profiles.narrow(caller, profile), state);
}

/** The circuits of callers (`auth.client_circuit_breaker`); loaded with the first failure that counts for one. */
import type { Caller } from "../core/caller.ts";
import type { ClientBreakerSettings } from "../doors/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClientBreakers } from "./client-breakers.ts";

export type ClientCircuits = Pick<ClientBreakers, "assertClosed" | "settle">;

export function createClientCircuits(
  clock: Pick<Clock, "now">,
  settings: () => ClientBreakerSettings | undefined,
): ClientCircuits {
  let breakers: ClientBreakers | undefined;
  let loading: Promise<ClientBreakers> | undefined;

  function load(): Promise<ClientBreakers> {
    loading ??= import("./client-breakers.ts").then((module) => {
      breakers = new module.ClientBreakers(clock, settings);
      return breakers;
    });
    return loading;
  }

  return {
    assertClosed: (caller: Caller) => breakers?.assertClosed(caller),
    settle(caller, error) {
      if (breakers !== undefined) breakers.settle(caller, error);
      // Who has not failed yet has nothing to make up for.
      else if (error !== undefined && settings()?.enabled === true)
        void load().then((made) => made.settle(caller, error));
    },
  };
}

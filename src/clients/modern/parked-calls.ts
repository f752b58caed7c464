/** The calls that wait for their clients to come back, with a limit to how many. */
import { GatewayError } from "../../core/errors.ts";
import type { ParkedCall } from "./parked-call.ts";

const maxParked = 1_000;
const maxParkedOfOne = 100;

export class ParkedCalls {
  readonly #calls = new Map<string, { readonly call: ParkedCall; readonly principal: string }>();

  /** @throws GatewayError OVERLOADED */
  add(call: ParkedCall, principal: string): void {
    if (this.#calls.has(call.id)) return;
    let ofOne = 0;
    for (const parked of this.#calls.values()) if (parked.principal === principal) ofOne++;
    if (this.#calls.size >= maxParked || ofOne >= maxParkedOfOne)
      throw new GatewayError("OVERLOADED", "Too many calls wait for answers of their clients", {
        hint: "Answer or drop the calls that need input first",
      });
    this.#calls.set(call.id, { call, principal });
  }

  has(id: string): boolean {
    return this.#calls.has(id);
  }

  get(id: string): ParkedCall | undefined {
    return this.#calls.get(id)?.call;
  }

  delete(id: string): void {
    this.#calls.delete(id);
  }
}

/**
 * The circuit of each caller: whoever keeps failing by its own fault is refused for a while. What a server or the gateway
 * is to blame for counts neither way, and neither does what the protocol itself leads to: a session that has expired, a
 * login, a cancelled request. Callers that nobody can tell apart have none, or one of them would shut out all.
 */
import type { Caller } from "../core/caller.ts";
import { errorCodes, type GatewayErrorCode } from "../core/error-codes.ts";
import { DeniedError, GatewayError, UpstreamRpcError } from "../core/errors.ts";
import type { ClientBreakerSettings } from "../doors/schema.ts";
import type { Clock } from "../lib/clock.ts";
import { Breaker } from "../stages/breaker/breaker.ts";

/** Callers that have failed lately; the one that failed first is forgotten first. */
const maxCallers = 10_000;

/** Of the codes for which the table blames the client. */
const harmless: ReadonlySet<GatewayErrorCode> = new Set([
  "CANCELLED",
  "CLIENT_CIRCUIT_OPEN",
  "LOGIN_REQUIRED",
  "SESSION_NOT_FOUND",
  "TOO_MANY_ATTEMPTS",
  "UNAUTHENTICATED",
  "UNSUPPORTED_VERSION",
]);
const anybody: ReadonlySet<string> = new Set(["anonymous", "public", "stdio"]);

export class ClientBreakers {
  readonly #clock: Pick<Clock, "now">;
  readonly #settings: () => ClientBreakerSettings | undefined;
  /** By principal; of those alone that have failed and not made up for it. */
  readonly #breakers = new Map<string, Breaker>();

  constructor(clock: Pick<Clock, "now">, settings: () => ClientBreakerSettings | undefined) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** @throws DeniedError CLIENT_CIRCUIT_OPEN */
  assertClosed({ principal, name }: Caller): void {
    const breaker = this.#inForce(principal);
    const waitMs = breaker?.retryAfterMs ?? 0;
    if (breaker === undefined || waitMs === 0) return;
    const text = `The last ${breaker.failures} requests of "${name}" failed by its own fault: ${breaker.lastFailure}`;
    throw new DeniedError("CLIENT_CIRCUIT_OPEN", text, {
      hint: "Wait, and then send something else",
      data: { retry_after_ms: waitMs },
    });
  }

  /** Told of every request that is over; without an error it went well. */
  settle({ principal }: Caller, error: unknown): void {
    const settings = this.#settings();
    if (settings?.enabled !== true) return;
    if (error === undefined) this.#succeeded(principal);
    else if (error instanceof GatewayError && isOwnFault(error) && !anybody.has(principal)) {
      const breaker = this.#inForce(principal) ?? this.#made(principal, settings);
      const pass = breaker.enter();
      if (pass !== undefined) breaker.failed(pass, error);
    }
  }

  #succeeded(principal: string): void {
    const breaker = this.#inForce(principal);
    const pass = breaker?.enter();
    if (breaker === undefined || pass === undefined) return;
    breaker.succeeded(pass);
    if (breaker.state === "closed") this.#breakers.delete(principal);
  }

  #made(principal: string, settings: ClientBreakerSettings): Breaker {
    const breaker = new Breaker(settings, this.#clock);
    this.#breakers.set(principal, breaker);
    const oldest = this.#breakers.keys().next().value;
    if (this.#breakers.size > maxCallers && oldest !== undefined) this.#breakers.delete(oldest);
    return breaker;
  }

  #inForce(principal: string): Breaker | undefined {
    const breaker = this.#breakers.get(principal);
    if (breaker === undefined) return undefined;
    const settings = this.#settings();
    if (settings?.enabled !== true) {
      this.#breakers.clear();
      return undefined;
    }
    breaker.settings = settings;
    return breaker;
  }
}

function isOwnFault(error: GatewayError): boolean {
  if (error instanceof UpstreamRpcError) return false;
  return errorCodes[error.code].fault === "client" && !harmless.has(error.code);
}

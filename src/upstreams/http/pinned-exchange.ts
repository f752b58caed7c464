/**
 * HTTP to the addresses that were found good for its origin, whatever its name leads to by the time of a request. They
 * are looked up again now and then, so that a server can move. Bun connects to the address itself; where Deno speaks
 * TLS, and where a proxy is in between, the name is resolved once more there (`runtime/pinned-fetch.ts`).
 */
import { untilAborted } from "../../core/abort-error.ts";
import { UnreachedError } from "../../core/errors.ts";
import { closedHere } from "./http-errors.ts";
import type { HttpExchange, HttpExchangeOptions, HttpRequest, HttpResponse } from "./http-exchange.ts";

const judgedForMs = 30_000;
/** A name that leads elsewhere each time makes no more than that; the oldest ends with what runs on it. */
const maxAddresses = 16;

export class PinnedExchange implements HttpExchange {
  readonly #find: () => Promise<readonly string[]>;
  readonly #open: (address: string) => HttpExchange;
  readonly #options: Pick<HttpExchangeOptions, "server" | "clock">;
  readonly #exchanges = new Map<string, HttpExchange>();
  #judged: Promise<readonly string[]> | undefined;
  #judgedAtMs = 0;
  #closed = false;

  constructor(
    find: () => Promise<readonly string[]>,
    open: (address: string) => HttpExchange,
    options: Pick<HttpExchangeOptions, "server" | "clock">,
  ) {
    this.#find = find;
    this.#open = open;
    this.#options = options;
  }

  /** Tries one address after the other, as long as nothing was sent. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let unreached: unknown;
    for (const address of await untilAborted(this.#addresses(), request.signal)) {
      if (this.#closed) throw closedHere(this.#options.server);
      try {
        return await this.#at(address).send(request);
      } catch (error) {
        if (!(error instanceof UnreachedError)) throw error;
        unreached = error;
        // The server may have moved.
        this.#judged = undefined;
      }
    }
    throw unreached;
  }

  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges.values()) exchange.close();
  }

  #addresses(): Promise<readonly string[]> {
    const now = this.#options.clock.now();
    if (this.#judged === undefined || now - this.#judgedAtMs > judgedForMs) {
      const judged = this.#find();
      this.#judged = judged;
      this.#judgedAtMs = now;
      judged.catch(() => {
        if (this.#judged === judged) this.#judged = undefined;
      });
    }
    return this.#judged;
  }

  #at(address: string): HttpExchange {
    let exchange = this.#exchanges.get(address);
    if (exchange !== undefined) return exchange;
    exchange = this.#open(address);
    this.#exchanges.set(address, exchange);
    for (const [oldest, one] of this.#exchanges) {
      if (this.#exchanges.size <= maxAddresses) break;
      this.#exchanges.delete(oldest);
      one.close();
    }
    return exchange;
  }
}

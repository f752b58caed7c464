import type { Logger } from "../../core/log.ts";
import type { ConnectionEvents } from "../../core/upstream.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AlwaysAttached } from "./attaching-exchange.ts";
import type { Access } from "./authorized-exchange.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { FindAddresses } from "./public-addresses.ts";

/** An MCP server behind a URL. */
export interface HttpSettings {
  readonly name: string;
  /** `http:` or `https:`; a user and password in it become a Basic `Authorization`. */
  readonly url: string;
  /** Unix socket on which the server of the address is reached. */
  readonly socketPath?: string | undefined;
  /** Where the URL may lead; left out, anywhere. */
  readonly findAddresses?: FindAddresses | undefined;
  /** Sent with every request; all there is of credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxResultBytes: number;
  /** Protocol revision to offer first. */
  readonly offer?: string | undefined;
  /** A login that adds credentials to every request. */
  readonly access?: Access | undefined;
  /** Goes along with every request; there, even if empty, where single ones have something of their own. */
  readonly attached?: AlwaysAttached | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What either transport is opened with, once. */
export interface Opening {
  /** Belongs to the connection as soon as there is one. */
  readonly http: HttpExchange;
  readonly url: URL;
  /** All of the backend's own, checked, with lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: CancelSignal;
  readonly events: ConnectionEvents;
}

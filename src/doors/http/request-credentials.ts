/** What the headers of a request show that a backend may be meant to get; looked up when that is asked for. */
import type { Caller, Credentials } from "../../core/caller.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { signedTokenOf } from "./authenticate.ts";

/** Its value is for the backend of `/mcp/{backend}`, and for no other. */
const passthroughHeader = "x-mcp-passthrough-authorization";

/** For connections that outlive the request they came with: a copy of what of its headers says who it is. */
export function keptCredentials(headers: Headers): Headers {
  const kept = new Headers();
  for (const name of ["authorization", "x-api-key", passthroughHeader]) {
    const value = headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  return kept;
}

export class RequestCredentials implements Credentials {
  readonly #headers: Headers;
  readonly #caller: Caller;
  readonly #backend: string | undefined;

  /** @param caller who was let in with these very headers */
  constructor(headers: Headers, caller: Caller, backend: string | undefined) {
    this.#headers = headers;
    this.#caller = caller;
    this.#backend = backend;
  }

  get token(): string | undefined {
    // What the key server gave for the issuer's token is no signed one.
    return this.#caller.identity?.issuer === undefined ? undefined : signedTokenOf(this.#headers);
  }

  passthrough(server: string): string | undefined {
    if (this.#backend !== server) return undefined;
    return this.#headers.get(passthroughHeader) ?? undefined;
  }

  digest(server: string): string | undefined {
    const value = this.passthrough(server);
    return value === undefined ? undefined : sha256Hex(value).slice(0, 32);
  }
}

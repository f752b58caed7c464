import { DeniedError } from "../../core/errors.ts";

/** The token is good, but not for this (RFC 6750 3.1, `insufficient_scope`). */
export class InsufficientTokenError extends DeniedError {
  /** Scopes with which another token would do, as far as scopes are asked for. */
  readonly scopes: readonly string[];

  constructor(message: string, scopes: readonly string[]) {
    super("FORBIDDEN", message, {
      hint: "Ask the operator of the gateway, or for a token with other scopes or groups",
    });
    this.scopes = scopes;
  }
}

/**
 * A token of the caller for one that is good at the backend (RFC 8693), kept until shortly before it ends. Only digests
 * of callers' tokens are remembered.
 */
import { DeniedError, type GatewayError, UnreachedError, UpstreamError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { redacted } from "../../lib/redact.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { excerpt, reasonOf } from "../http/http-errors.ts";
import { credentialsOf, isHeaderValue } from "../http/request-head.ts";

const timeoutMs = 10_000;
const maxBytes = 65_536;
const maxTokens = 1_000;
/** How long before its end a token is not used any more: as it travels, clocks differ. */
const marginMs = 30_000;
/** Life of a token whose server does not say how long it lasts. */
const unsaidSeconds = 60;

const accessToken = "urn:ietf:params:oauth:token-type:access_token";

export interface TokenExchangeOptions {
  /** Name of the backend, for errors. */
  readonly server: string;
  /** A user and password in it become a Basic `Authorization`. */
  readonly endpoint: URL;
  /** One of the two: whom the token is to be good for. */
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
  readonly scope: string | undefined;
  readonly clock: Pick<Clock, "now">;
  redact(text: string): string;
}

interface ExchangedToken {
  readonly token: string;
  /** Monotonic milliseconds. */
  readonly usedUntilMs: number;
}

export class TokenExchange {
  readonly #options: TokenExchangeOptions;
  /** By digest of the caller's token, least recently used first. */
  readonly #tokens = new Map<string, ExchangedToken>();
  readonly #asking = new Map<string, Promise<string>>();

  constructor(options: TokenExchangeOptions) {
    this.#options = options;
  }

  /**
   * @param lastsMs for how long the caller's own token is good: what it was exchanged for is not used longer
   * @throws DeniedError FORBIDDEN when the exchange is refused; UnreachedError UPSTREAM_START_FAILED; UpstreamError UPSTREAM_PROTOCOL
   */
  tokenFor(subjectToken: string, lastsMs = Number.POSITIVE_INFINITY): Promise<string> {
    const key = sha256Hex(subjectToken);
    const known = this.#tokens.get(key);
    this.#tokens.delete(key);
    if (known !== undefined && this.#options.clock.now() < known.usedUntilMs) {
      this.#tokens.set(key, known);
      return Promise.resolve(known.token);
    }
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(subjectToken, key, lastsMs).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  /** The next call exchanges the token anew. */
  forget(subjectToken: string): void {
    this.#tokens.delete(sha256Hex(subjectToken));
  }

  async #ask(subjectToken: string, key: string, lastsMs: number): Promise<string> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const { token, seconds } = this.#readToken(await this.#post(subjectToken));
    const usableMs = Math.min(seconds * 1_000 - Math.min(marginMs, seconds * 100), lastsMs);
    this.#tokens.set(key, { token, usedUntilMs: startedMs + usableMs });
    const oldest = this.#tokens.keys().next().value;
    if (this.#tokens.size > maxTokens && oldest !== undefined) this.#tokens.delete(oldest);
    return token;
  }

  async #post(subjectToken: string): Promise<JsonObject> {
    const { server, endpoint, audience, resource, scope } = this.#options;
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: subjectToken,
      subject_token_type: accessToken,
      requested_token_type: accessToken,
    });
    for (const [name, value] of Object.entries({ audience, resource, scope }))
      if (value !== undefined) form.set(name, value);
    const url = new URL(endpoint);
    url.username = url.password = "";
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: "POST",
        // Nobody else is to get the token.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          accept: "application/json",
          "content-type": "application/x-www-form-urlencoded",
          ...credentialsOf(endpoint),
        },
        body: form.toString(),
      });
      text = await limitedText(response);
    } catch (cause) {
      const message = `The token exchange for server "${server}" cannot be asked: ${reasonOf(cause)}`;
      throw new UnreachedError("UPSTREAM_START_FAILED", message, { cause, data: { server } });
    }
    const value = parsed(text);
    if (response.status === 200 && value !== undefined) return value;
    throw this.#refusal(response.status, value, subjectToken);
  }

  #readToken(value: JsonObject): { token: string; seconds: number } {
    const { access_token: token, token_type: type, expires_in: seconds } = value;
    const isBearer = typeof type === "string" && type.toLowerCase() === "bearer";
    if (!isBearer || typeof token !== "string" || token === "" || !isHeaderValue(token)) throw this.#malformed();
    const isSaid = typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0;
    return { token, seconds: isSaid ? seconds : unsaidSeconds };
  }

  #malformed(): UpstreamError {
    const { server } = this.#options;
    const message = `The token exchange for server "${server}" answered with no bearer token`;
    return new UpstreamError("UPSTREAM_PROTOCOL", message, { data: { server } });
  }

  /** RFC 6749 5.2, to which RFC 8693 2.2.2 adds `invalid_target`. */
  #refusal(status: number, value: JsonObject | undefined, subjectToken: string): GatewayError {
    const { server, redact } = this.#options;
    const code = value?.["error"];
    if (typeof code !== "string" || status < 400 || status >= 500 || status === 429) {
      const message = `The token exchange for server "${server}" answered with HTTP ${status}`;
      return new UnreachedError("UPSTREAM_START_FAILED", message, { data: { server } });
    }
    const said = [code, value?.["error_description"]].filter((part) => typeof part === "string").join(": ");
    const shown = excerpt(redact(said.replaceAll(subjectToken, redacted)));
    const isOurs = code === "invalid_client" || code === "unauthorized_client";
    return new DeniedError("FORBIDDEN", `The token exchange for server "${server}" was refused: ${shown}`, {
      hint: isOurs
        ? "The operator sets the gateway's client credentials in token_exchange_endpoint, as https://id:secret@host/path"
        : "Log in again, or ask the operator whether you may use this server",
      data: { server, reason: "token_exchange_refused" },
    });
  }
}

async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new TypeError(`it answers with more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

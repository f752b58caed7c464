/** The failures of HTTP upstreams, each said in one place. Bodies are quoted short and without control characters. */
import {
  CancelledError,
  type ErrorDetails,
  GatewayError,
  UnreachedError,
  UpstreamError,
  UpstreamRpcError,
} from "../../core/errors.ts";
import type { ResponseHead } from "./http-exchange.ts";

const excerptLength = 200;

/** What a server sent breaks the rules of HTTP/1.1 (RFC 9112); the connection is of no more use. */
export class HttpFault extends Error {
  override readonly name = "HttpFault";
}

/** An answer whose status says no; kept apart because detection and sessions decide by the status. */
export class HttpStatusError extends UpstreamError {
  readonly status: number;

  constructor(status: number, ...rest: ConstructorParameters<typeof UpstreamError>) {
    super(...rest);
    this.status = status;
  }
}

/** @param wasSent whether something may have been sent all the same */
export function cannotReach(server: string, cause: unknown, wasSent = false): UpstreamError {
  const Kind = wasSent ? UpstreamError : UnreachedError;
  return new Kind("UPSTREAM_START_FAILED", `Cannot connect to server "${server}": ${reasonOf(cause)}`, {
    hint: `Check that the server runs and that the URL of the backend is right`,
    cause,
    data: { server },
  });
}

export function hungUp(server: string, when: string, cause?: unknown): UpstreamError {
  const reason = cause === undefined ? "" : `: ${reasonOf(cause)}`;
  return new UpstreamError("UPSTREAM_CLOSED", `Server "${server}" closed the connection ${when}${reason}`, {
    cause,
    data: { server },
  });
}

export function closedHere(server: string): UpstreamError {
  return new UpstreamError("UPSTREAM_CLOSED", `The connection to server "${server}" was closed by the gateway`, {
    data: { server },
  });
}

export function protocolError(server: string, problem: string, details: ErrorDetails = {}): UpstreamError {
  return new UpstreamError("UPSTREAM_PROTOCOL", `Server "${server}" ${problem}`, { ...details, data: { server } });
}

export function answerTooLarge(server: string, maxBytes: number): UpstreamError {
  return new UpstreamError(
    "RESULT_TOO_LARGE",
    `The answer of server "${server}" is larger than "max_result_size" (${maxBytes} bytes)`,
    {
      hint: `Ask for less, or raise "max_result_size" of the backend`,
      data: { server, max_result_size: maxBytes },
    },
  );
}

export function statusError(server: string, head: ResponseHead, text: string): HttpStatusError {
  const { status } = head;
  const said = text.trim() === "" ? "" : `: ${excerpt(text)}`;
  const data = { server, status, retry_after_ms: retryAfterMs(head.headers.get("retry-after")) };
  const message = `Server "${server}" answered with HTTP ${status}${said}`;
  if (status === 401 || status === 403)
    return new HttpStatusError(status, "UPSTREAM_START_FAILED", message, {
      hint: `The server wants other credentials: set "headers" of the backend, e.g. Authorization: "Bearer \${TOKEN}", or "oauth"`,
      data,
    });
  const comesAndGoes = status === 408 || status === 429 || status >= 502;
  return new HttpStatusError(status, comesAndGoes ? "UPSTREAM_START_FAILED" : "UPSTREAM_PROTOCOL", message, { data });
}

export function wrongContentType(server: string, head: ResponseHead, text: string): UpstreamError {
  const type = head.headers.get("content-type") ?? "none";
  return protocolError(server, `answered with content type "${excerpt(type)}" where JSON was due: ${excerpt(text)}`, {
    hint: `Check the URL of the backend: it must be the address of the endpoint, not of a web page`,
  });
}

const speakForThemselves: ReadonlySet<string> = new Set(["TIMEOUT", "LOGIN_REQUIRED"]);

/** Whatever went wrong, as a failure to start. */
export function asStartError(error: unknown, name: string): unknown {
  if (!(error instanceof GatewayError) || error instanceof CancelledError || speakForThemselves.has(error.code))
    return error;
  const { code, hint, data } = error;
  const message =
    error instanceof UpstreamRpcError ? `Server "${name}" refused "initialize": ${error.message}` : error.message;
  return new UpstreamError(
    code === "UPSTREAM_PROTOCOL" && !(error instanceof HttpStatusError) ? code : "UPSTREAM_START_FAILED",
    message,
    {
      hint,
      data,
      cause: error,
    },
  );
}

export function excerpt(text: string): string {
  const clean = text
    .slice(0, excerptLength)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim();
  // Half a word may be half a secret, which nobody would recognise any more.
  return text.length > excerptLength ? `${clean.replace(/[^\s"'<>,;]+$/, "")}…` : clean;
}

/** With the system's code, which Bun leaves out of the text, and the reason behind it, where `fetch` of Deno keeps the one that helps. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as { code?: unknown };
  const text = cause.message === "" ? cause.name : excerpt(cause.message);
  const own = typeof code === "string" && !text.includes(code) ? `${text} (${code})` : text;
  return cause.cause === undefined ? own : `${own}: ${reasonOf(cause.cause)}`;
}

/** Seconds or a date (RFC 9110 10.2.3). */
function retryAfterMs(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (/^\d{1,7}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(at - Date.now(), 0);
}

/**
 * A login of the user in a browser (authorization code with PKCE): the authorization server sends the browser back to
 * an address on this machine, where we listen as long as the login may take (RFC 8252 7.3).
 */
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { equalDigests, sha256 } from "../../runtime/digest.ts";
import { randomToken } from "../../runtime/random.ts";
import { type HttpServer, serveHttp } from "../../runtime/serve.ts";
import type { OAuthProvider } from "./oauth-provider.ts";
import type { OAuthSettings } from "./schema.ts";

const loginLimitMs = 600_000;

export interface Login {
  /** What the protocol calls it by (`elicitationId`). */
  readonly id: string;
  /** To be opened by the user. */
  readonly url: string;
  /** Resolves when we have access; rejects when the user or the server said no, or the time is over. */
  readonly done: Promise<void>;
  /** Gives it up. */
  cancel(): void;
}

type LoginParts = NonNullable<ConstructorParameters<typeof OAuthProvider>[0]["login"]>;

export interface LoginOptions {
  readonly server: string;
  readonly settings: OAuthSettings | undefined;
  readonly clock: Clock;
  provider(parts: { readonly login: LoginParts }): OAuthProvider;
  /** One step of the official client: without a code it leads to the address for the user, with one to the tokens. */
  authorize(provider: OAuthProvider, answer: { authorizationCode?: string; iss?: string }): Promise<void>;
}

/** @throws the official client's errors, when the server does not say how to log in */
export async function beginLogin(options: LoginOptions): Promise<Login> {
  const { server, settings, clock } = options;
  const host = settings?.callback_host ?? "localhost";
  const path = settings?.callback_path ?? "/oauth/callback";
  const state = randomToken(32);
  const done = Promise.withResolvers<void>();
  // Whoever waits hears of it; a login nobody waits for is in the log.
  done.promise.catch(() => {});
  let isTaken = false;

  const onCallback = async (url: URL): Promise<Response> => {
    if (url.pathname !== path) return page(404, "There is nothing here");
    const given = url.searchParams.get("state") ?? "";
    if (!equalDigests(sha256(given), sha256(state)))
      return page(400, "This answer belongs to no login that was begun here");
    if (isTaken) return page(400, "This login has been answered already");
    isTaken = true;
    try {
      await take(url.searchParams);
      done.resolve();
      return page(200, `The gateway is logged in to "${server}". You can close this window`);
    } catch (error) {
      done.reject(error);
      return page(400, `The login failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const take = async (answer: URLSearchParams) => {
    const error = answer.get("error");
    if (error !== null) {
      const description = answer.get("error_description");
      throw new GatewayError(
        "FORBIDDEN",
        `The authorization server refused: ${error}${description === null ? "" : `: ${description}`}`,
      );
    }
    const code = answer.get("code");
    if (code === null) throw new GatewayError("INVALID_REQUEST", "The authorization server sent no code");
    const iss = answer.get("iss");
    await options.authorize(provider, { authorizationCode: code, ...(iss === null ? {} : { iss }) });
  };

  const listener = await listen(host, settings?.callback_port ?? 0, onCallback);
  const redirectUrl = `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}${path}`;
  let authorizationUrl: URL | undefined;
  const onAuthorizationUrl = (url: URL) => {
    authorizationUrl = url;
  };
  const provider = options.provider({ login: { redirectUrl, state, onAuthorizationUrl } });
  const cancelLimit = clock.after(loginLimitMs, () =>
    done.reject(new GatewayError("TIMEOUT", "Nobody logged in in time")),
  );
  const end = () => {
    cancelLimit();
    void listener.stop(1_000);
  };
  done.promise.then(end, end);
  try {
    await options.authorize(provider, {});
    if (authorizationUrl === undefined) throw new GatewayError("INTERNAL", "The login led to no address");
    if (authorizationUrl.protocol !== "https:" && authorizationUrl.protocol !== "http:")
      throw new GatewayError(
        "FORBIDDEN",
        `The server wants "${authorizationUrl.protocol}" opened, which is no web address`,
      );
  } catch (error) {
    done.reject(error);
    throw error;
  }
  return {
    id: randomToken(16),
    url: authorizationUrl.href,
    done: done.promise,
    cancel: () => done.reject(new GatewayError("CANCELLED", "The login was given up")),
  };
}

function listen(host: string, port: number, answer: (url: URL) => Promise<Response>): Promise<HttpServer> {
  return serveHttp({
    // The name may stand for ::1 as well, where a browser that finds nobody goes on to 127.0.0.1.
    host: host === "localhost" ? "127.0.0.1" : host,
    port,
    fetch: (request) => answer(new URL(request.url)),
    onError() {},
  });
}

function page(status: number, text: string): Response {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const body = `<!doctype html><meta charset="utf-8"><title>MCP Gateway</title><p>${safe}.</p>\n`;
  return new Response(body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

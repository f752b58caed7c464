/**
 * The key server: an ID token of an identity provider for a short-lived token of the gateway (RFC 8693), and operators who
 * take such tokens back. Its routes stand before the authentication of all others: who comes here has no token yet.
 */
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { tokenPrincipalOf } from "../../gateway/principals.ts";
import type { Clock } from "../../lib/clock.ts";
import { equalDigests, hexOf, sha256 } from "../../runtime/digest.ts";
import { randomToken } from "../../runtime/random.ts";
import { bearerTokenOf } from "../http/authenticate.ts";
import type { FailedAttempts } from "../http/failed-attempts.ts";
import type { KeyHolder } from "../http/key-table.ts";
import { Refusal, sendEmpty, sendJson } from "../http/respond.ts";
import type { Visit } from "../http/visit.ts";
import type { TokenRules } from "../tokens/token-source.ts";
import type { TokenVerifier } from "../tokens/token-verifier.ts";
import { ExchangeError, refuseExchange } from "./exchange-error.ts";
import { accessTokenType, readExchange, scopeText } from "./exchange-request.ts";
import { grantTo, identityOf, nameOf } from "./identity.ts";
import { identitySources } from "./identity-source.ts";
import { type IssuedToken, IssuedTokens } from "./issued-tokens.ts";
import type { KeyServerSettings } from "./schema.ts";

export interface KeyServer {
  /** @throws InsufficientTokenError */
  find(digest: Uint8Array, rules: TokenRules): KeyHolder | undefined;
  /** `POST /auth/token` */
  exchange(visit: Visit): Promise<Response>;
  /** `DELETE /auth/token/{jti}` */
  revoke(visit: Visit): Response;
  /** `DELETE /auth/tokens?subject=` */
  revokeSubject(visit: Visit): Response;
  /** Looks for expired tokens no more. */
  end(): void;
}

export interface KeyServerOptions {
  readonly gateway: Pick<Gateway, "config" | "log" | "sessions" | "controlPlane">;
  readonly clock: Clock;
  /** Calendar milliseconds. */
  readonly calendar: () => number;
  /** Those of the whole door. */
  readonly failures: FailedAttempts;
  loadVerifier(): Promise<TokenVerifier>;
}

export function createKeyServer({ gateway, clock, calendar, failures, loadVerifier }: KeyServerOptions): KeyServer {
  const { log, sessions } = gateway;
  const tokens = new IssuedTokens(
    clock,
    calendar,
    () => (gateway.config.key_server?.cleanup_interval_secs ?? 60) * 1_000,
  );

  function settingsNow(): KeyServerSettings {
    const settings = gateway.config.key_server;
    if (settings?.enabled === true) return settings;
    throw new Refusal(404, "The key server is not enabled", { hint: 'It is configured in "key_server"' });
  }

  async function exchange(visit: Visit): Promise<Response> {
    const settings = settingsNow();
    const { address } = visit.peer;
    failures.assertOpen(address);
    const { idToken, asked } = await readExchange(visit.request);
    const digest = sha256(idToken);
    // Signatures can be written in more than one way; what they are of cannot.
    const idTokenId = hexOf(sha256(idToken.slice(0, idToken.lastIndexOf("."))));
    const wrong = (error: unknown) => failures.counted(error, address, digest);
    const verifier = await loadVerifier();
    const verified = await verifier.check(idToken, identitySources(gateway.config)).catch((error) => {
      throw wrong(error);
    });
    // From here on in one turn: of two that come at once with the same token, one is late.
    const { subject, claims } = verified;
    const spent = "The ID token was used before, or is from before its subject's tokens were taken back";
    if (tokens.isSpent(idTokenId, subject, Number(claims["iat"])))
      throw wrong(new GatewayError("UNAUTHENTICATED", spent));
    const identity = identityOf(verified, String(claims["iss"]));
    const granted = grantTo(identity, settings, asked);
    const accessToken = `mcpgw_${randomToken(32)}`;
    const issued = tokens.issue({
      id: hexOf(sha256(accessToken)),
      identity,
      granted,
      lifeMs: settings.token_ttl_secs * 1_000,
      most: settings.max_tokens_per_identity,
      idToken: { id: idTokenId, remainingMs: verified.validUntil - calendar() },
    });
    if (typeof issued === "number")
      throw new ExchangeError(429, "too_many_tokens", "There are as many tokens of the identity as may be", issued);
    const scope = scopeText(granted);
    log.info("Gateway token issued", { ...factsOf(visit, issued), scope });
    return sendJson(
      visit,
      200,
      JSON.stringify({
        access_token: accessToken,
        issued_token_type: accessTokenType,
        token_type: "Bearer",
        expires_in: settings.token_ttl_secs,
        scope,
        jti: issued.jti,
      }),
    );
  }

  /** @throws ExchangeError, GatewayError TOO_MANY_ATTEMPTS */
  function assertAdmin({ request, peer: { address } }: Visit): KeyServerSettings {
    const settings = settingsNow();
    if (!settings.admin_token)
      throw new ExchangeError(503, "admin_not_configured", 'Nobody can take tokens back: set "key_server.admin_token"');
    failures.assertOpen(address);
    const shown = bearerTokenOf(request.headers);
    if (shown === undefined) throw new ExchangeError(401, "unauthorized", "The admin token is missing");
    const digest = sha256(shown);
    if (equalDigests(digest, sha256(settings.admin_token))) return settings;
    const error = new GatewayError("UNAUTHENTICATED", "The admin token is not valid");
    const counted = failures.counted(error, address, digest);
    throw counted === error ? new ExchangeError(401, "unauthorized", error.message) : counted;
  }

  /** Whoever has no token left has no session left either. */
  function afterRevocation(visit: Visit, gone: readonly IssuedToken[]): void {
    for (const token of gone) {
      log.info("Gateway token taken back", factsOf(visit, token));
      const { identity } = token;
      if (tokens.has(identity)) continue;
      const holder = tokenPrincipalOf(identity.issuer, identity.subject);
      for (const { id, principal } of [...sessions.all()]) if (principal === holder) sessions.close(id, principal);
    }
  }

  return {
    end: () => tokens.end(),
    find: (digest, rules) => tokens.find(hexOf(digest), rules),
    async exchange(visit) {
      try {
        return await exchange(visit);
      } catch (error) {
        const reason = error instanceof Error ? error.message : undefined;
        log.warn("No gateway token issued", { request_id: visit.requestId, address: visit.peer.address, reason });
        return refused(visit, error);
      }
    },
    revoke(visit) {
      try {
        assertAdmin(visit);
        const wanted = visit.path.slice(visit.path.lastIndexOf("/") + 1);
        const gone = tokens.revoke(({ jti }) => jti === wanted);
        if (gone.length === 0)
          throw new ExchangeError(404, "token_not_found", "There is no such token, or it has expired");
        afterRevocation(visit, gone);
        return sendEmpty(visit, 204);
      } catch (error) {
        return refused(visit, error);
      }
    },
    revokeSubject(visit) {
      try {
        const settings = assertAdmin(visit);
        const subject = new URL(visit.request.url).searchParams.get("subject");
        if (!subject) throw new ExchangeError(400, "invalid_request", 'The address needs "?subject="');
        const gone = tokens.revoke(({ identity }) => identity.subject === subject);
        // What it could be exchanged for was just taken back.
        tokens.refuseEarlier(subject, settings.max_oidc_token_age_secs * 1_000 + 60_000);
        afterRevocation(visit, gone);
        return sendJson(visit, 200, JSON.stringify({ revoked: gone.length, subject }));
      } catch (error) {
        return refused(visit, error);
      }
    },
  };

  function refused(visit: Visit, error: unknown): Response {
    const response = refuseExchange(visit, error);
    if (![401, 403, 429].includes(response.status)) return response;
    const detail = error instanceof Error ? error.message : undefined;
    const event = { requestId: visit.requestId, address: visit.peer.address, detail, failed: true };
    gateway.controlPlane.note({ action: "authentication-failed", ...event });
    return response;
  }
}

function factsOf({ requestId, peer }: Visit, { jti, identity }: IssuedToken) {
  return { request_id: requestId, address: peer.address, identity: nameOf(identity), issuer: identity.issuer, jti };
}

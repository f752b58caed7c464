/**
 * What backends are told of callers, and of the gateway itself. Loaded for the first backend that is told anything; what
 * the strategies need, with the first call that needs it.
 */
import type { BackendConfig } from "../config/schema.ts";
import type { Caller, CallerIdentity } from "../core/caller.ts";
import { DeniedError } from "../core/errors.ts";
import { randomToken } from "../runtime/random.ts";
import type { IdentityBroker } from "../stages/identity/identity-stage.ts";
import type { AssertionKeys } from "../upstreams/identity/assertion-keys.ts";
import type { TokenExchange } from "../upstreams/identity/token-exchange.ts";
import { type IdentitiesOptions, type PublicKeys, signsAssertions } from "./identities.ts";

type IdentitySettings = NonNullable<BackendConfig["identity_propagation"]>;

/** Headers are limited everywhere; who is in more groups has the first of them. */
const maxGroupCharacters = 4_000;
const maxHeaderCharacters = 8_192;

export function openIdentities(options: IdentitiesOptions) {
  const { config, clock, redact, keyPath: path, onProblem } = options;
  let keys: AssertionKeys | undefined;
  /** With the configuration they belong to, tokens are forgotten. */
  const brokers = new WeakMap<BackendConfig, IdentityBroker>();

  async function assertionKeys(): Promise<AssertionKeys> {
    const { AssertionKeys } = await import("../upstreams/identity/assertion-keys.ts");
    keys ??= new AssertionKeys({ path, now: Date.now, onProblem });
    return keys;
  }

  /** RFC 7519, RFC 9068. @param caller left out, the gateway speaks for itself */
  async function assertion(backend: BackendConfig, caller?: Caller): Promise<string> {
    const { assertionSeconds } = await import("../upstreams/identity/assertion-keys.ts");
    const issuer = config().server.public_url?.replace(/\/+$/, "") ?? "mcp-gateway";
    const now = Math.floor(Date.now() / 1_000);
    const end = Math.floor((caller?.validUntil ?? Number.POSITIVE_INFINITY) / 1_000);
    return (await assertionKeys()).sign({
      iss: issuer,
      sub: issuer,
      ...(caller?.identity && claimsOf(caller.identity)),
      aud: backend.identity_propagation?.audience ?? addressOf(backend),
      iat: now,
      exp: Math.min(now + assertionSeconds, end),
      jti: randomToken(16),
    });
  }

  function signing(backend: BackendConfig, required: boolean): IdentityBroker {
    return {
      required,
      wanted: "a token of an issuer, a user name, a named API key or a client certificate",
      covers: ({ caller }) => caller.identity !== undefined,
      authorizationFor: async ({ caller }) => `Bearer ${await assertion(backend, caller)}`,
      refused() {},
    };
  }

  function exchanging(backend: BackendConfig, required: boolean): IdentityBroker {
    const {
      audience,
      token_exchange_endpoint: endpoint = "",
      token_exchange_scope: scope,
    } = backend.identity_propagation ?? {};
    let exchange: TokenExchange | undefined;
    return {
      required,
      wanted: "an access token of an issuer: only that can be exchanged",
      covers: ({ credentials }) => credentials?.token !== undefined,
      async authorizationFor({ caller: { validUntil }, credentials }) {
        const { TokenExchange } = await import("../upstreams/identity/token-exchange.ts");
        exchange ??= new TokenExchange({
          server: backend.name,
          endpoint: new URL(endpoint),
          ...(audience === undefined ? { resource: addressOf(backend) } : { audience }),
          scope,
          clock,
          redact,
        });
        const lastsMs = validUntil === undefined ? undefined : validUntil - Date.now();
        return `Bearer ${await exchange.tokenFor(credentials?.token as string, lastsMs)}`;
      },
      refused: ({ credentials }) => exchange?.forget(credentials?.token as string),
    };
  }

  return {
    /** Of a backend that has the section. */
    brokerOf(backend: BackendConfig): IdentityBroker {
      const settings = backend.identity_propagation as IdentitySettings;
      let broker = brokers.get(backend);
      if (broker === undefined) {
        const { strategy, required } = settings;
        if (strategy === "passthrough") broker = passingThrough(backend, required);
        else broker = strategy === "token_exchange" ? exchanging(backend, required) : signing(backend, required);
        brokers.set(backend, broker);
      }
      return broker;
    },
    ownAuthorization: async (backend: BackendConfig) => `Bearer ${await assertion(backend)}`,
    async publicKeys(): Promise<PublicKeys> {
      // What was signed for a backend that is gone now is good for a while.
      const signs = keys !== undefined || Object.values(config().backends).some(signsAssertions);
      return signs ? (await assertionKeys()).published() : { keys: [] };
    },
  };
}

function passingThrough({ name }: BackendConfig, required: boolean): IdentityBroker {
  return {
    required,
    wanted: `X-MCP-Passthrough-Authorization, in requests to /mcp/${name}`,
    covers: ({ credentials }) => credentials?.passthrough(name) !== undefined,
    async authorizationFor({ credentials }) {
      const value = credentials?.passthrough(name) as string;
      if (/^[\x21-\x7e][\t\x20-\x7e]*$/.test(value) && value.length <= maxHeaderCharacters) return value;
      throw new DeniedError("FORBIDDEN", `X-MCP-Passthrough-Authorization cannot be sent to server "${name}"`, {
        hint: `It takes up to ${maxHeaderCharacters} visible ASCII characters, as in: Bearer <token>`,
        data: { server: name },
      });
    },
    refused() {},
  };
}

/** `sub` is unique for each `idp`, and for those without one. */
function claimsOf({ subject, issuer, name, groups = [] }: CallerIdentity) {
  const first = [...groups];
  while (first.join().length > maxGroupCharacters) first.pop();
  return {
    sub: subject,
    ...(issuer !== undefined && { idp: issuer }),
    ...(name !== undefined && { name }),
    ...(first.length > 0 && { groups: first }),
  };
}

/** The backend as a resource (RFC 8707): without what in its address may be secret. */
function addressOf({ http_url }: BackendConfig): string {
  const { origin, pathname } = new URL(http_url as string);
  return `${origin}${pathname}`;
}

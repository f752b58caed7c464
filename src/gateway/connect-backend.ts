/** From one entry of `backends` to a connection, over the transport it is for. Loaded at the first start of a backend. */
import type { BackendConfig } from "../config/schema.ts";
import type { Attachment } from "../core/call.ts";
import type { Connect } from "../core/upstream.ts";
import { attachmentOf, isOfConnection } from "../stages/secrets/sent-secret.ts";
import type { FindAddresses } from "../upstreams/http/public-addresses.ts";
import type { OAuthSession } from "../upstreams/oauth/oauth-session.ts";
import { type BackendContext, isOnNetwork, kindOf } from "./backend-upstream.ts";
import type { Isolation } from "./isolation.ts";

const nothing: Attachment = { headers: {}, query: {} };

export function connectBackend(
  backend: BackendConfig,
  context: BackendContext,
  isolation: Isolation | undefined,
): Connect {
  // What the connection before found out (which HTTP transport it is) is kept in here.
  let connect: Connect | undefined;
  return async (signal, events) => {
    connect ??= await withTransform(await loadConnect(backend, context, isolation), backend);
    return connect(signal, events);
  };
}

async function withTransform(connect: Connect, { name, transform }: BackendConfig): Promise<Connect> {
  if (transform === undefined) return connect;
  return (await import("../upstreams/transform/transform-connect.ts")).transformConnect(connect, name, transform);
}

async function loadConnect(
  backend: BackendConfig,
  context: BackendContext,
  isolation: Isolation | undefined,
): Promise<Connect> {
  const { name, command, cwd, env, headers, http_url, secrets = [], identity_propagation: identity } = backend;
  const settings = {
    name,
    maxResultBytes: backend.max_result_size,
    offer: backend.protocol_version,
    clock: context.clock,
    log: context.log.with({ server: name }),
  };
  const address = {
    ...settings,
    url: http_url as string,
    headers,
    findAddresses: await findAddressesOf(backend, context),
  };
  const always = attachmentOf(secrets.filter(isOfConnection)) ?? nothing;
  const speaks = hasCredentials(backend) || backend.oauth?.enabled === true;
  const own = speaks ? undefined : context.identities.ownAuthorization(backend);
  const isEmpty = identity === undefined && attachmentOf(secrets) === undefined;
  const attached = isEmpty ? undefined : withIdentity(always, own && (async () => ({ authorization: await own() })));
  switch (kindOf(backend)) {
    case "stdio": {
      const { stdioConnect } = await import("../upstreams/stdio/connect-stdio.ts");
      const { redact } = context;
      const plain = { ...settings, argv: command as string[], cwd, env: { ...isolation?.env, ...env }, redact };
      if (isolation === undefined) return stdioConnect(plain);
      const { isolate } = await import("../upstreams/isolation/isolate.ts");
      const { profile } = isolation;
      const seconds = profile.resources.timeout_secs;
      return stdioConnect({
        ...plain,
        isolate: (program) => isolate(profile, name, program),
        maxLifeMs: seconds === undefined ? undefined : seconds * 1_000,
      });
    }
    case "websocket": {
      const { webSocketConnect } = await import("../upstreams/websocket/connect-websocket.ts");
      const { withQuery } = await import("../upstreams/http/attaching-exchange.ts");
      const url = withQuery(new URL(address.url), always.query).href;
      return webSocketConnect({ ...address, url, headers: { ...headers, ...always.headers } });
    }
    case "unix": {
      const { unixConnect } = await import("../upstreams/unix/connect-unix.ts");
      return unixConnect({ ...address, attached });
    }
    case "a2a": {
      const { a2aConnect } = await import("../upstreams/a2a/connect-a2a.ts");
      const { a2a_url, a2a_agent_card_path: cardPath } = backend;
      const access = await oauthOf(backend, context);
      return a2aConnect({ ...address, url: a2a_url as string, cardPath, access, redact: context.redact });
    }
    default: {
      const { httpConnect } = await import("../upstreams/http/connect-http.ts");
      const shared = httpConnect({ ...address, attached, access: await oauthOf(backend, context) });
      if (identity?.session_mode !== "per_user") return shared;
      const { perCallerConnect } = await import("../upstreams/identity/per-caller-connect.ts");
      return perCallerConnect(shared, {
        ...settings,
        startTimeoutMs: backend.start_timeout,
        connect: (attachment) =>
          httpConnect({ ...address, attached: withIdentity(always, async () => (await attachment()).headers) }),
      });
    }
  }
}

/** @returns undefined for a backend that may be anywhere */
export async function findAddressesOf(
  backend: BackendConfig,
  context: Pick<BackendContext, "trustsBackends">,
): Promise<FindAddresses | undefined> {
  if (context.trustsBackends() || !isOnNetwork(backend)) return undefined;
  return (await import("../upstreams/http/public-addresses.ts")).publicAddresses(backend.name);
}

/** What says who asks, where a request does not say so itself. */
function withIdentity(
  always: Attachment,
  identity: (() => Promise<Attachment["headers"]>) | undefined,
): (own: Attachment | undefined) => Promise<Attachment> {
  return async (own) => {
    if (identity === undefined || own?.holder !== undefined) return always;
    return { headers: { ...always.headers, ...(await identity()) }, query: always.query };
  };
}

/** Whether the configuration has an `Authorization` for what the gateway asks for itself. */
function hasCredentials({ http_url, a2a_url, headers, secrets = [] }: BackendConfig): boolean {
  const sent = { ...headers, ...attachmentOf(secrets)?.headers };
  const isSent = Object.keys(sent).some((header) => header.toLowerCase() === "authorization");
  return isSent || !!URL.parse(http_url ?? a2a_url ?? "")?.username;
}

/** Where the configuration has credentials, or says no, there is no login. */
export async function oauthOf(
  backend: BackendConfig,
  context: Pick<BackendContext, "clock" | "log" | "oauth" | "trustsBackends">,
): Promise<OAuthSession | undefined> {
  const { name, oauth } = backend;
  const url = URL.parse(backend.http_url ?? backend.a2a_url ?? "");
  if (url === null || !/^https?:$/.test(url.protocol) || oauth?.enabled === false) return undefined;
  // Nor is there where callers bring theirs: who is refused then is not to log the gateway in.
  if (oauth === undefined && (hasCredentials(backend) || backend.identity_propagation !== undefined)) return undefined;
  const [{ OAuthSession }, { createTokenStore }] = await Promise.all([
    import("../upstreams/oauth/oauth-session.ts"),
    import("../upstreams/oauth/token-store.ts"),
  ]);
  const { directory, key, onProblem, onSecret, onAccess, onLoginRequired, onLoggedIn } = context.oauth;
  return new OAuthSession({
    server: name,
    url,
    settings: oauth,
    isTrusted: context.trustsBackends(),
    store: createTokenStore({ directory, server: name, url: url.href, key, onProblem }),
    clock: context.clock,
    calendar: Date.now,
    log: context.log.with({ server: name }),
    onSecret,
    onAccess: () => onAccess(name),
    onLoginRequired: () => onLoginRequired(name),
    onLoggedIn: (loginId) => onLoggedIn(name, loginId),
  });
}

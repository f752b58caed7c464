/** Rules about `backends.<name>.identity_propagation`; loaded for the files that have one. */
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import { isAddress, notAnAddress, quoted } from "./rules.ts";
import type { ParsedBackend, ParsedConfig } from "./schema.ts";

export function checkIdentities(config: ParsedConfig, found: Findings): void {
  for (const [name, backend] of Object.entries(config.backends)) {
    if (backend.identity_propagation === undefined) continue;
    checkStrategy(backend, ["backends", name], found);
    if (backend.enabled) checkCallers(config, backend.identity_propagation, ["backends", name], found);
  }
}

type Settings = NonNullable<ParsedBackend["identity_propagation"]>;

const ofExchange = ["token_exchange_endpoint", "token_exchange_scope"] as const;

function checkStrategy(backend: ParsedBackend, path: Path, found: Findings): void {
  const settings = backend.identity_propagation as Settings;
  const refuse = (text: string, ...key: Path) =>
    found.problems.push({ path: [...path, "identity_propagation", ...key], text });
  const { strategy, token_exchange_endpoint: endpoint } = settings;
  const servers = backend.replicas ?? [backend];
  if (!servers.every(({ http_url = "" }) => isAddress(http_url)))
    refuse('works only with an "http_url" that begins with http:// or https://');
  if (strategy === "vault")
    refuse(
      'is "vault", which is not available: choose "signed_assertion", "token_exchange" or "passthrough"',
      "strategy",
    );
  if (strategy === "token_exchange" && endpoint === undefined)
    refuse('needs "token_exchange_endpoint" for the strategy "token_exchange"');
  if (backend.replicas !== undefined && settings.audience === undefined && strategy !== "passthrough")
    refuse('needs "audience" where there are "replicas": no address is that of all of them');
  if (endpoint !== undefined && !isAddress(endpoint)) refuse(notAnAddress(endpoint), "token_exchange_endpoint");
  for (const key of ofExchange)
    if (settings[key] !== undefined && strategy !== "token_exchange")
      refuse(`means nothing to the strategy ${quoted(strategy)}: remove it`, key);
  if (settings.audience !== undefined && strategy === "passthrough")
    refuse('means nothing to the strategy "passthrough": remove it', "audience");
  for (const [at, { inject_as, inject_key }] of (backend.secrets ?? []).entries())
    if (inject_as === "header" && inject_key.toLowerCase() === "authorization") {
      const text = 'is the header in which "identity_propagation" says who calls: keep one of them';
      found.problems.push({ path: [...path, "secrets", at, "inject_key"], text });
    }
}

function checkCallers(
  { auth, security, ...config }: ParsedConfig,
  settings: Settings,
  path: Path,
  found: Findings,
): void {
  const { strategy, required } = settings;
  const warn = (text: string) => found.warnings.push({ path: [...path, "identity_propagation"], text });
  const hasTokens = auth.issuers.length > 0 || config.key_server?.delegated_bearer === true;
  if (strategy === "token_exchange" && !(auth.enabled && hasTokens))
    warn('has nothing to exchange: callers come with tokens where "auth" is enabled and has "issuers"');
  if (strategy === "signed_assertion" && !auth.enabled && config.mtls?.enabled !== true)
    warn('has nobody to tell of: "auth" is not enabled, so nobody says who he is');
  if (required && !security.transparency_log.enabled)
    warn('is required, and who called is in no record: enable "security.transparency_log"');
}

/** Values that must never reach a log or an error, wherever they turn up. */
import { backendSecrets, environmentSecrets } from "../config/backend-secrets.ts";
import { replicasOf } from "../config/replicas.ts";
import type { Config } from "../config/schema.ts";
import type { Environment } from "../runtime/process.ts";
import { secretForms } from "../stages/secrets/sent-secret.ts";

/**
 * Worked out when they are asked for: the first line of a log is early enough.
 * @param env the variables the configuration was read with, env files included
 */
export function* knownSecrets(config: Config, env: Environment): Iterable<string> {
  const { bearer_token, api_keys, users, issuers } = config.auth;
  if (bearer_token !== undefined && bearer_token !== "auto") yield bearer_token;
  for (const { key } of api_keys) yield key;
  for (const { password } of users) yield password;
  for (const { secret } of issuers) if (secret !== undefined) yield secret;
  if (config.key_server?.admin_token) yield config.key_server.admin_token;
  for (const { hs256_secret } of config.agent_auth?.agents ?? []) if (hs256_secret) yield hs256_secret;
  for (const value of Object.values(config.tracing?.headers ?? {})) yield value;
  const { transparency_log, message_signing } = config.security;
  const { shared_secret, previous_secret } = message_signing;
  for (const key of [transparency_log.shared_secret, shared_secret, previous_secret]) if (key !== "") yield key;
  if (config.shared_state !== undefined) yield* passwordsIn(config.shared_state.redis_url);
  for (const backend of Object.values(config.backends)) {
    yield* backendSecrets(backend);
    for (const replica of replicasOf(backend)) yield* backendSecrets(replica.backend);
    yield* (backend.secrets ?? []).flatMap(secretForms);
  }
  for (const { guarded_env_keys } of Object.values(config.runtime?.profiles ?? {}))
    yield* guarded_env_keys.flatMap((key) => env[key] ?? []);
  yield* environmentSecrets(env);
}

/** As written and as sent. Not the user: "default" is the usual one. */
function passwordsIn(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { password } = new URL(url);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

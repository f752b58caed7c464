/** Values that must never reach a log or an error, wherever they turn up. */
import { backendSecrets, environmentSecrets } from "../config/backend-secrets.ts";
import type { Config } from "../config/schema.ts";
import type { Environment } from "../runtime/process.ts";

/** @param env the variables the configuration was read with, env files included */
export function knownSecrets(config: Config, env: Environment): string[] {
  const { bearer_token, api_keys } = config.auth;
  const own = bearer_token === undefined || bearer_token === "auto" ? [] : [bearer_token];
  return [
    ...own,
    ...api_keys.map(({ key }) => key),
    ...Object.values(config.backends).flatMap(backendSecrets),
    ...environmentSecrets(env),
  ];
}

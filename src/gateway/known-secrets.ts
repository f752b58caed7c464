/** Values of the configuration that must never reach a log or an error, wherever they turn up. */
import type { Config } from "../config/schema.ts";

const secretName = /key|token|secret|pass|pwd|auth|credential|cookie|private|dsn|signature/i;
const harmlessHeader = /^(accept|accept-.*|content-type|user-agent|host)$/i;

export function knownSecrets(config: Config): string[] {
  const secrets: string[] = [];
  const { bearer_token, api_keys } = config.auth;
  if (bearer_token !== undefined && bearer_token !== "auto") secrets.push(bearer_token);
  for (const { key } of api_keys) secrets.push(key);
  for (const { env, headers } of Object.values(config.backends)) {
    for (const [name, value] of Object.entries(env)) if (secretName.test(name)) secrets.push(value);
    for (const [name, value] of Object.entries(headers)) {
      if (harmlessHeader.test(name)) continue;
      // "Bearer abc" and the "abc" in it.
      secrets.push(value, ...value.split(/\s+/).slice(1));
    }
  }
  return secrets;
}

/** `auth.bearer_token: auto`: one token for as long as the gateway runs, through every reload. */
import type { Config } from "../config/schema.ts";
import { randomToken } from "../runtime/random.ts";

export class AutoToken {
  /** `undefined` while no configuration has asked for one. */
  value: string | undefined;

  inForce(config: Config): Config {
    if (config.auth.bearer_token !== "auto") return config;
    this.value ??= `mcp_${randomToken(32)}`;
    return { ...config, auth: { ...config.auth, bearer_token: this.value } };
  }
}

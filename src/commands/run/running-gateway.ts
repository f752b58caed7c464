/** The gateway that runs, as commands find it: by `--url`, or by the configuration it was started with. */
import { loadConfig } from "../../config/load.ts";
import { environment, workingDirectory } from "../../runtime/process.ts";
import { gatewayUrl, ownRequest } from "../../setup/gateway-entry.ts";
import { type CommandInput, UsageError } from "../command.ts";

export interface RunningAddress {
  /** Without a slash at its end. */
  readonly base: string;
  /** From the configuration, which is not asked where `--url` names another gateway. */
  readonly token: string | undefined;
  /** How this machine asks its own gateway. */
  readonly own: RequestInit;
}

/** @throws UsageError, ConfigError */
export async function runningGateway(input: CommandInput): Promise<RunningAddress> {
  const given = input.text("url");
  if (given !== undefined) {
    if (!/^https?:\/\//.test(given) || !URL.canParse(given))
      throw new UsageError(`--url must begin with http:// or https://, not "${given}"`);
    return { base: given.replace(/\/+$/, ""), token: undefined, own: {} };
  }
  const { overrides, config: path } = input.global;
  const { config } = await loadConfig({ path, overrides, env: environment(), cwd: workingDirectory(), fallBack: true });
  const { enabled, bearer_token } = config.auth;
  const token = enabled && bearer_token !== "auto" ? bearer_token : undefined;
  return { base: gatewayUrl(config), token, own: ownRequest(config) };
}

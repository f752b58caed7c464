/** Every check of the doctor, in the order a reader wants them. What does not depend on another is done at the same time. */
import type { LoadRequest } from "../../config/load.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { GatewayAddress } from "../gateway-entry.ts";
import type { Check } from "./check.ts";
import { checkBackends } from "./check-backends.ts";
import { checkClients, checkShadow } from "./check-clients.ts";
import { type ConfigurationResult, checkConfiguration } from "./check-configuration.ts";
import { checkGateway } from "./check-gateway.ts";
import { checkState } from "./check-state.ts";
import { checkTunnel } from "./check-tunnel.ts";

export interface DoctorRequest {
  readonly machine: Machine;
  readonly load: LoadRequest;
  readonly stateDirectory: string;
  /** Time each backend has to start and answer; `undefined` starts none. */
  readonly answerMs: number | undefined;
  /** The text of the configuration that is written where there is none. */
  readonly newConfig: string;
  /** Where clients reach the gateway of the configuration that was loaded. */
  addressOf(loaded: NonNullable<ConfigurationResult["loaded"]>): Promise<GatewayAddress>;
}

export async function examine(request: DoctorRequest): Promise<Check[]> {
  const { machine, stateDirectory, answerMs } = request;
  const configuration = await checkConfiguration(request);
  const { loaded, settings } = configuration;
  const state = checkState(stateDirectory, loaded?.config, machine.cwd);
  if (loaded === undefined) return [...configuration.checks, ...(await state)];
  const { config } = loaded;
  const gateway = checkGateway(config);
  const tunnel = config.tunnel?.enabled === true ? [checkTunnel(config.tunnel, machine)] : [];
  const backends = { loaded, settings, machine, answerMs, stateDirectory };
  const groups = await Promise.all([
    gateway.then(({ checks }) => checks),
    tunnel,
    gateway.then(({ backends: running }) => checkBackends({ ...backends, running })),
    state,
    checkClients(config, await request.addressOf(loaded), machine),
    checkShadow(loaded, settings, machine),
  ]);
  return [...configuration.checks, ...groups.flat()];
}

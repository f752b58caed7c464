/** What an endpoint says of itself when a client comes: in `initialize`, and in `server/discover` of 2026-07-28. */
import type { Caller } from "../core/caller.ts";
import { DeniedError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { aggregateIntroduction } from "./aggregate-methods.ts";
import { assertEnabled, backendIntroduction } from "./backend-methods.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";

export interface Introduction {
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

/** Long enough for the answer to be out before processes are started. */
const learnDelayMs = 20;

/** @throws GatewayError as {@link assertBackend} */
export async function introduce(
  host: FaceHost,
  context: Pick<FaceContext, "backend" | "caller">,
): Promise<Introduction> {
  const { backend, caller } = context;
  const name = backend === undefined ? undefined : assertBackend(host, backend, caller);
  await host.catalog.ready();
  if (name !== undefined) return backendIntroduction(host, name);
  host.clock.after(learnDelayMs, () => learnTools(host, caller));
  return aggregateIntroduction(host, caller);
}

/**
 * The configured name of the backend.
 * @throws DeniedError SERVER_NOT_FOUND, SERVER_DISABLED
 */
export function assertBackend(host: FaceHost, backend: string, caller: Caller): string {
  const name = host.resolveServer(backend);
  if (name === undefined || !mayUseServer(caller, name))
    throw new DeniedError("SERVER_NOT_FOUND", `There is no backend "${backend}"`, {
      hint: `Backends: ${host
        .servers()
        .filter((server) => server.enabled && mayUseServer(caller, server.name))
        .map((server) => server.name)
        .join(", ")}`,
    });
  assertEnabled(host, name);
  return name;
}

/** A client that connects will search: backends never listed before are asked now, in the background. */
function learnTools(host: FaceHost, caller: Caller): void {
  for (const { name, enabled } of host.servers())
    if (enabled && mayUseServer(caller, name) && !host.draining) void host.listedSoon(name, "tools");
}

/** What an endpoint says of itself when a client comes: in `initialize`, and in `server/discover` of 2026-07-28. */
import type { Caller } from "../core/caller.ts";
import { DeniedError } from "../core/errors.ts";
import { mayUseServer } from "../core/scope.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { skillsExtension } from "../mcp/extensions.ts";
import { instructions } from "../meta/instructions.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { DescribingContext } from "./meta-context.ts";

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

/** Drafts of the protocol that are answered, for clients that know them: what they may add to a request. */
const specPreview = {
  "mcp-gateway/spec-preview": {
    "tools/list": ["query", "server", "annotations", "limit"],
    "tools/resolve": ["name", "arguments"],
  },
};

function aggregateIntroduction(host: FaceHost, caller: Caller): Introduction {
  return {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
      ...(host.meta.spec_preview && { experimental: specPreview }),
      ...(host.skills.isOn && { extensions: { [skillsExtension]: { directoryRead: true } } }),
    },
    instructions: host.meta.enabled ? instructions(new DescribingContext(host, caller)) : undefined,
  };
}

/** Capabilities of the backend that the gateway does not carry yet, so that no client relies on them. */
const withheld = new Set(["tasks", "experimental", "extensions"]);

async function backendIntroduction(host: FaceHost, backend: string): Promise<Introduction> {
  if (host.catalog.list(backend, "tools") === undefined)
    // An error here shows up, with its cause, at the first request that needs the backend.
    await host.ensureListed(backend, "tools").catch(() => {});
  const description = host.describe(backend);
  const capabilities: Record<string, JsonObject> = { logging: {} };
  for (const [name, value] of Object.entries(description?.capabilities ?? knownFromLists(host, backend)))
    if (!withheld.has(name) && isJsonObject(value)) capabilities[name] = value;
  return { capabilities, instructions: description?.instructions };
}

function knownFromLists(host: FaceHost, backend: string): JsonObject {
  const capabilities: Record<string, JsonObject> = { tools: { listChanged: true }, completions: {} };
  for (const kind of ["resources", "prompts"] as const)
    if ((host.catalog.list(backend, kind)?.length ?? 0) > 0) capabilities[kind] = { listChanged: true };
  return capabilities;
}

/** @throws DeniedError SERVER_DISABLED */
export function assertEnabled(host: FaceHost, server: string): void {
  if (host.servers().find(({ name }) => name === server)?.enabled === false)
    throw new DeniedError("SERVER_DISABLED", `Backend "${server}" is switched off in the configuration`);
}

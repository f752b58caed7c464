/** The configuration in force. */

import { configView } from "../../../config/config-view.ts";
import { version } from "../../../core/version.ts";
import type { JsonObject } from "../../../lib/json.ts";
import type { ManagementRoute, Task } from "./route.ts";

export const configRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/config", who: "viewer", isWhole: true, run: config },
];

async function config({ gateway }: Task): Promise<JsonObject> {
  const { config, operation } = gateway;
  return {
    version,
    path: operation.configFile?.path ?? null,
    error: gateway.configError ?? null,
    meta_mcp_enabled: config.meta_mcp.enabled,
    streaming_enabled: config.streaming.enabled,
    sanitize_input: config.security?.sanitize_input ?? true,
    ssrf_protection: config.security?.ssrf_protection ?? true,
    servers: gateway
      .servers()
      .map(({ name, kind, status }) => ({ name, transport: kind, running: status.state.is === "ready" })),
    settings: await configView(config, operation.redact),
  };
}

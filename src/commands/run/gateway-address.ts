/** Where a client reaches the gateway of this configuration, and by which of the two ways. */
import type { LoadedConfig } from "../../config/load.ts";
import { readConfigText, readSettings } from "../../config/load.ts";
import { valueAt } from "../../config/path.ts";
import { findProgram, thisProgram } from "../../runtime/find-program.ts";
import type { Machine } from "../../runtime/machine.ts";
import { basename } from "../../runtime/paths.ts";
import { environment } from "../../runtime/process.ts";
import { type ExportMode, type GatewayAddress, gatewayUrl } from "../../setup/gateway-entry.ts";

const connectMs = 500;

/** `auto` is `proxy` where a gateway listens or none could be started. */
export async function chosenMode(mode: "auto" | ExportMode, { config }: LoadedConfig): Promise<ExportMode> {
  if (mode !== "auto") return mode;
  const { canConnect } = await import("../../runtime/port.ts");
  const { hostname, port, protocol } = new URL(gatewayUrl(config));
  if (await canConnect(hostname.replace(/^\[|\]$/g, ""), Number(port || (protocol === "https:" ? 443 : 80)), connectMs))
    return "proxy";
  return ownProgram(environment()["PATH"], ".") === undefined ? "proxy" : "stdio";
}

export async function gatewayAddress({ config, source }: LoadedConfig, { env, cwd }: Machine): Promise<GatewayAddress> {
  // Programs with a window do not have the PATH of a shell, so the whole path is named.
  const program = ownProgram(env["PATH"], cwd) ?? "mcp-gateway";
  const named = source === undefined ? [] : ["-c", source.path];
  const { enabled } = config.auth;
  const written = source && enabled ? valueAt(await settingsIn(source.path), ["auth", "bearer_token"]) : undefined;
  const token = typeof written === "string" ? written : enabled ? config.auth.bearer_token : undefined;
  return {
    url: `${gatewayUrl(config)}/mcp`,
    // One that is made anew at every start is of no use in a file.
    token: token === "auto" ? undefined : token,
    argv: [program, "serve", "--stdio", ...named],
  };
}

async function settingsIn(path: string) {
  return readSettings(await readConfigText(path, path), path);
}

/** The name under which PATH has us outlives an upgrade; our own path is the next best. */
function ownProgram(path: string | undefined, cwd: string): string | undefined {
  const found = findProgram("mcp-gateway", path, cwd);
  const own = thisProgram();
  return found ?? (/^mcp-gateway/.test(basename(own)) ? own : undefined);
}

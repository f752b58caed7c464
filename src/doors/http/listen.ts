/** Opens the HTTP door. */
import type { Gateway } from "../../gateway/gateway.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { serveHttp } from "../../runtime/serve.ts";
import { createHttpApp } from "./app.ts";

export interface HttpDoor {
  /** Where clients on this machine reach the gateway, without a path. */
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, ends the listening streams, lets running requests end within `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Host and port are fixed from here on; every other setting is read per request and follows a reload.
 * @throws ConfigError when the address cannot be listened on
 */
export async function openHttpDoor(gateway: Gateway, clock: Clock = systemClock): Promise<HttpDoor> {
  const { host, port } = gateway.config.server;
  const app = createHttpApp(gateway, host, clock);
  const server = await serveHttp({
    host,
    port,
    fetch: app.fetch,
    onError: (error) => gateway.log.error("Request failed in the server", { error: String(error) }),
  });
  return {
    url: `http://${reachable(host)}:${server.port}`,
    port: server.port,
    close(graceMs) {
      const stopped = server.stop(graceMs);
      app.endStreams();
      return stopped;
    },
  };
}

/** Listening on every address is no address to go to. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** Opens the HTTP door. */
import type { Gateway } from "../../gateway/gateway.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { type HttpServer, serveHttp } from "../../runtime/serve.ts";
import type { TlsDoorOptions } from "../tls/open-tls.ts";
import { createHttpApp, type HttpApp } from "./app.ts";

export interface HttpDoor {
  /** Where clients on this machine reach the gateway, without a path. */
  readonly url: string;
  readonly port: number;
  /** Of `server.ws_port`, if that is set. */
  readonly socketPort: number | undefined;
  readonly setTunnel: HttpApp["setTunnel"];
  /** Takes no more connections, ends the listening streams, lets running requests end within `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Host and port are fixed from here on; every other setting is read per request and follows a reload.
 * @param address instead of that of the configuration
 * @throws ConfigError when the address cannot be listened on
 */
export async function openHttpDoor(
  gateway: Gateway,
  clock: Clock = systemClock,
  address: { readonly host?: string; readonly port?: number } = {},
): Promise<HttpDoor> {
  const { ws_port, metrics_port } = gateway.config.server;
  const { host = gateway.config.server.host, port = gateway.config.server.port } = address;
  const app = createHttpApp(gateway, host, clock);
  const onError = (error: unknown) => gateway.log.error("Request failed in the server", { error: String(error) });
  const { mtls } = gateway.config;
  const serve = async (options: TlsDoorOptions): Promise<HttpServer> => {
    if (mtls?.enabled !== true) return serveHttp(options);
    const { openTls } = await import("../tls/open-tls.ts");
    return openTls(gateway, mtls, options);
  };
  const s = mtls?.enabled === true ? "s" : "";
  const server = await serve({ host, port, fetch: app.fetch, onError });
  const servers = [server];
  const openAnother = async (opening: Promise<HttpServer>): Promise<HttpServer> => {
    try {
      const another = await opening;
      servers.push(another);
      return another;
    } catch (error) {
      await Promise.all(servers.map((one) => one.stop(0)));
      throw error;
    }
  };
  let socketPort: number | undefined;
  if (ws_port !== undefined) {
    const options = { host, port: ws_port, portSetting: "server.ws_port", fetch: app.fetchSocket, onError };
    socketPort = (await openAnother(serve(options))).port;
    const url = `ws${s}://${reachable(host)}:${socketPort}/mcp`;
    gateway.log.info("WebSocket clients have a port of their own", { url });
  }
  if (metrics_port !== undefined) {
    const { openMetricsDoor } = await import("./metrics-door.ts");
    const metrics = await openAnother(openMetricsDoor(gateway, host, metrics_port));
    const url = `http://${reachable(host)}:${metrics.port}/metrics`;
    gateway.log.info("Metrics have a port of their own, which asks for no token", { url });
  }
  return {
    url: `http${s}://${reachable(host)}:${server.port}`,
    port: server.port,
    socketPort,
    setTunnel: app.setTunnel,
    async close(graceMs) {
      // In one turn with what follows, so that nobody comes in between; a server that stops says good-bye in its own words.
      app.endStreams();
      await Promise.all(servers.map((one) => one.stop(graceMs)));
    },
  };
}

/** Listening on every address is no address to go to. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

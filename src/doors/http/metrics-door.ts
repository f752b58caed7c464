/** `/metrics` on a port of its own, for a network where only Prometheus is. Loaded where `server.metrics_port` is set. */
import type { Gateway } from "../../gateway/gateway.ts";
import { prometheusContentType } from "../../observe/prometheus.ts";
import { type HttpServer, serveHttp } from "../../runtime/serve.ts";
import { logDefect } from "../log-defect.ts";
import { requestIdFrom } from "../request-id.ts";
import { createOriginGuard } from "./guard-origin.ts";
import { publicCaller } from "./key-table.ts";
import { metricsText } from "./manage/metrics.ts";
import { Refusal, refuse, send } from "./respond.ts";

/** Answers without a token. @throws ConfigError when the port cannot be listened on */
export function openMetricsDoor(gateway: Gateway, host: string, port: number): Promise<HttpServer> {
  const guardOrigin = createOriginGuard(host);
  return serveHttp({
    host,
    port,
    portSetting: "server.metrics_port",
    async fetch(request) {
      const asker = { requestId: requestIdFrom(request.headers.get("x-request-id")), crossOrigin: undefined };
      try {
        guardOrigin(request.headers, gateway.config.server);
        const { pathname } = new URL(request.url);
        if (pathname !== "/metrics" || !["GET", "HEAD"].includes(request.method))
          throw new Refusal(404, "This port has GET /metrics and nothing else");
        return send(asker, 200, prometheusContentType, await metricsText(gateway, publicCaller));
      } catch (error) {
        logDefect(gateway.log, asker.requestId, error);
        return refuse(asker, error);
      }
    },
    onError: (error) => gateway.log.error("Request failed in the server", { error: String(error) }),
  });
}

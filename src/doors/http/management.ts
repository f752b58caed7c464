/** The way to what operators use, which is loaded with the first of them: a start pays for none of it. */
import type { Gateway } from "../../gateway/gateway.ts";
import type { Clock } from "../../lib/clock.ts";
import { send } from "./respond.ts";
import type { Visit } from "./visit.ts";

export interface Management {
  /** `/ui/api/*` and `/api/v1/*` */
  api(visit: Visit): Promise<Response>;
  operatorPage(visit: Visit): Promise<Response>;
  metrics(visit: Visit): Promise<Response>;
  endStreams(): void;
}

export function createManagement(gateway: Gateway, clock: Clock): Management {
  let isUsed = false;
  return {
    async api(visit) {
      isUsed = true;
      return (await import("./manage/api.ts")).manage(gateway, clock, visit);
    },
    async operatorPage(visit) {
      return (await import("./manage/operator-page.ts")).operatorPage(gateway, visit);
    },
    async metrics(visit) {
      const { metricsText } = await import("./manage/metrics.ts");
      const { prometheusContentType } = await import("../../observe/prometheus.ts");
      return send(visit, 200, prometheusContentType, await metricsText(gateway, visit.caller));
    },
    endStreams() {
      if (isUsed) void import("./manage/call-routes.ts").then(({ endCallStreams }) => endCallStreams(gateway));
    },
  };
}

/** The control plane: everything at a glance, decisions with their reasons, and how the export for a SIEM is doing. */
import { GatewayError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { controlPlane } from "./control-plane-view.ts";
import { decide } from "./decisions.ts";
import type { ManagementRoute, Task } from "./route.ts";

export const controlPlaneRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/control-plane", who: "viewer", run: controlPlane },
  { method: "GET", path: "/ui/api/control-plane/export-status", who: "viewer", isWhole: true, run: exportStatus },
  { method: "POST", path: "/ui/api/control-plane/decisions", who: "operator", run: decide },
];

/** @throws GatewayError RESOURCE_NOT_FOUND while nothing is exported */
async function exportStatus({ gateway }: Task): Promise<JsonObject> {
  const exported = await gateway.controlPlane.exported();
  if (exported === undefined)
    throw new GatewayError("RESOURCE_NOT_FOUND", "Nothing is exported", {
      hint: 'Set "control_plane.export.enabled" to true',
    });
  const { sources, isFailing } = exported;
  const views = Object.entries(sources).map(([source, counts]) => [source, { ...counts }]);
  return { configured: true, failing: isFailing, sources: Object.fromEntries(views) };
}

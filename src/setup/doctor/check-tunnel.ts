/** Whether there is a Tailscale that could open the tunnel; what it is allowed to, only it knows. */
import type { TunnelSettings } from "../../doors/tunnel/schema.ts";
import { findProgram } from "../../runtime/find-program.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { Check } from "./check.ts";

export function checkTunnel({ executable, mode }: TunnelSettings, { env, cwd }: Machine): Check {
  const base = { id: "tunnel", label: `Tunnel (${mode})`, category: "tunnel" } as const;
  const path = findProgram(executable, env["PATH"], cwd);
  if (path !== undefined) return { ...base, status: "pass", detail: `${path} opens it` };
  const hint = "Install Tailscale, or set tunnel.executable to its full path";
  return { ...base, status: "fail", detail: `there is no program "${executable}"`, hint };
}

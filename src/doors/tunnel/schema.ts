import * as v from "valibot";
import { port, setting } from "../../core/kinds.ts";

export const tunnelSchema = v.object({
  enabled: setting(v.boolean(), false, "Have the Tailscale of this machine lead to the gateway while it serves HTTP"),
  mode: setting(
    v.picklist(["serve", "funnel"]),
    "serve",
    "Who can come: the devices of the tailnet (`serve`), or everybody on the internet (`funnel`), which takes `auth.enabled`",
  ),
  https_port: setting(port, 443, "Port of the address in the tailnet; `funnel` has 443, 8443 and 10000"),
  executable: setting(v.string(), "tailscale", "Tailscale's program, by name or full path"),
});
export type TunnelSettings = v.InferOutput<typeof tunnelSchema>;

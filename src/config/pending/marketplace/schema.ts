import * as v from "valibot";
import { setting } from "../../../core/kinds.ts";

export const marketplaceSchema = v.object({
  marketplace_url: setting(v.string(), "https://plugins.mcpgateway.io", "Where plugins are looked up"),
  plugin_dir: setting(v.string(), "~/.mcp-gateway/plugins", "Where plugins are installed"),
});

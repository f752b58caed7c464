/** What a browser asks before it lets a page of another origin call the gateway. Only allowed origins get here. */
import { sendEmpty } from "./respond.ts";
import type { Asker } from "./visit.ts";

const dayInSeconds = "86400";

export function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("access-control-request-method");
}

/** It comes without a token, and tells no more than which headers the protocol has. */
export function preflight(asker: Asker): Response {
  return sendEmpty(asker, 204, {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers":
      "Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Protocol-Version, Mcp-Session-Id, X-Agent-ID, X-API-Key, X-MCP-Passthrough-Authorization, X-MCP-Profile, X-Request-ID",
    "access-control-max-age": dayInSeconds,
  });
}

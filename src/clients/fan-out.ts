/** Tells the sessions concerned that a list of a backend changed; never the others, never with content. */
import { encodeRequest } from "../mcp/json-rpc.ts";
import { type ListKind, listKinds } from "../mcp/protocol.ts";
import type { FaceHost } from "./host.ts";

export function announceListChange(host: FaceHost, server: string, kind: ListKind): void {
  const messageText = encodeRequest(undefined, listKinds[kind].changed, undefined);
  for (const session of host.sessions.all()) {
    const concerned =
      session.backend === undefined
        ? kind !== "tools" || showsTools(host, server)
        : host.resolveServer(session.backend) === server;
    if (concerned) session.push(messageText);
  }
}

/** With meta-tools, `tools/list` shows a backend's own tools only where they are surfaced. */
function showsTools(host: FaceHost, server: string): boolean {
  return !host.meta.enabled || host.meta.surfaced_tools.some((pinned) => host.resolveServer(pinned.server) === server);
}

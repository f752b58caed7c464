/** `/dashboard`: the state of the gateway on one page without a script, for terminals and wall screens; renews itself. */

import { hasRole, overseesAll } from "../../../core/role.ts";
import { mayUseServer } from "../../../core/scope.ts";
import { version } from "../../../core/version.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import { escapeHidden } from "../../../lib/escape-hidden.ts";
import { send } from "../respond.ts";
import { dashboardProtection } from "../ui.ts";
import type { Visit } from "../visit.ts";
import { describeServer } from "./server-view.ts";
import { uptimeSeconds } from "./status-routes.ts";

const renewSeconds = 5;

export async function operatorPage(gateway: Gateway, visit: Visit): Promise<Response> {
  await gateway.catalog.ready();
  const { calls } = await gateway.operation.observatory();
  const servers = gateway.servers().filter(({ name }) => mayUseServer(visit.caller, name));
  const rows = servers.map((server) => {
    const view = describeServer(gateway, server, calls.servers.get(server.name));
    const lifecycle = view["enabled"] === true ? String(view["lifecycle"]) : "disabled";
    return [
      server.name,
      lifecycle,
      server.circuit,
      view["tools_cached"],
      view["request_count"],
      percent(Number(view["error_rate"])),
      view["latency_p95_ms"] ?? "–",
      view["restart_count"],
      // Errors may quote what only operators may see.
      hasRole(visit.caller, "viewer") ? gateway.operation.redact(String(view["last_error"] ?? "")) : "",
    ];
  });
  const notes = overseesAll(visit.caller) ? [...gateway.degraded, ...(gateway.configError ?? "").split("\n")] : [];
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="${renewSeconds}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>MCP Gateway</title>
<link rel="stylesheet" href="/ui/operator.css"></head><body><main>
<h1>MCP Gateway ${escaped(version)}</h1>
<p>Up ${uptimeSeconds(gateway)} s, ${gateway.sessions.size} sessions, ${gateway.inFlight} calls running. <a href="/ui/">Dashboard</a></p>
${notes
  .filter(Boolean)
  .map((note) => `<p class="problem">${escaped(gateway.operation.redact(note))}</p>`)
  .join("\n")}
<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>
${rows.map((cells) => `<tr class="${cells[1]}">${cells.map((cell) => `<td>${escaped(String(cell))}</td>`).join("")}</tr>`).join("\n")}
</tbody></table>${rows.length === 0 ? "<p>No backend is configured.</p>" : ""}
</main></body></html>
`;
  return send(visit, 200, "text/html; charset=utf-8", html, dashboardProtection);
}

const heads = ["Server", "State", "Circuit", "Tools", "Requests", "Errors", "p95 ms", "Restarts", "Last error"];

function percent(rate: number): string {
  return `${(rate * 100).toFixed(rate > 0 && rate < 0.1 ? 1 : 0)} %`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Names and errors are what servers say: nothing of them is markup. */
function escaped(text: string): string {
  return escapeHidden(text).replace(/[&<>"']/g, (found) => entities[found] as string);
}

/** Who is connected. */
import { h } from "../dom.js";
import { uptime } from "../format.js";
import { table } from "../parts.js";
import { renewed } from "../renewed.js";
import { needs } from "../roles.js";

const clients = renewed("clients", (context) => context.ask("/api/v1/connections"));

export const clientsView = {
  enter(_rest, context) {
    clients.load(context);
  },
  render() {
    const notice = clients.notice();
    if (notice !== undefined) return notice;
    const { connections } = clients.value;
    return h(
      "section",
      { class: "card" },
      h("h1", { class: "h2" }, `Clients ${connections.length || ""}`),
      table(
        [
          { label: "Client" },
          { label: "Endpoint" },
          { label: "Signed in as" },
          { label: "Protocol" },
          { label: "Idle", class: "num" },
          { label: "Running", class: "num" },
          { label: "Listens" },
          { label: "" },
        ],
        connections.map((one) => ({
          key: one.id,
          cells: [
            h(
              "div",
              { class: "name" },
              h("strong", {}, one.client ?? "unnamed"),
              h("span", { class: "kind" }, one.client_version ?? ""),
            ),
            one.backend === null ? "/mcp" : `/mcp/${one.backend}`,
            h("code", {}, one.principal),
            one.protocol_version,
            uptime(one.idle_seconds),
            String(one.running_requests),
            one.streaming ? "yes" : "no",
            h(
              "button",
              { type: "button", "data-action": "end", "data-id": one.id, ...needs("operator") },
              "Disconnect",
            ),
          ],
        })),
        { caption: "Clients", empty: `Nobody is connected. Clients connect to ${new URL("/mcp", location.href).href}` },
      ),
    );
  },
  actions: {
    async end(button, context) {
      await context.act(
        button,
        () => context.ask(`/api/v1/connections/${button.dataset.id}`, { method: "DELETE" }),
        "The client is disconnected",
      );
      await clients.load(context);
    },
  },
};

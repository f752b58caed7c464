/** What the gateway saves and costs in tokens, measured on this gateway's own servers. */
import { h } from "../dom.js";
import { count, exact, percent, plural } from "../format.js";
import { serverLink, table, tile, toolLink } from "../parts.js";
import { state } from "../store.js";

export const tokensView = {
  render() {
    const { statistics } = state;
    if (statistics === undefined) return h("p", { class: "muted pad" }, "Asking …");
    const { tokens } = statistics;
    const share = tokens.direct_list === 0 ? 0 : tokens.saved_per_session / tokens.direct_list;
    const pays = tokens.saved_per_session > 0;
    return [
      h("h1", { class: "sr" }, "Tokens"),
      h(
        "section",
        { class: "tiles", "aria-label": "Numbers" },
        tile("All tools directly", count(tokens.direct_list), "tokens in every request"),
        tile("Through the gateway", count(tokens.gateway_list), "tokens for its own tools"),
        tile(
          "Saved per session",
          count(tokens.saved_per_session),
          pays ? percent(share) : "listing all tools would cost less",
          pays ? "good" : "bad",
        ),
        tile(
          "Spent on finding",
          count(tokens.discovery_tokens),
          `${plural(
            tokens.discovery.reduce((sum, { calls }) => sum + calls, 0),
            "search",
          )}`.replace("searchs", "searches"),
        ),
        tile(
          "Saved in all",
          count(statistics.tokens_saved),
          `${plural(tokens.sessions, "session")} · ${statistics.estimated_savings_usd} at $${statistics.price_per_million}/M`,
        ),
      ),
      !pays &&
        tokens.direct_list > 0 &&
        h(
          "p",
          { class: "notice warn" },
          "With so few tools the gateway's own list costs more than theirs: ",
          h("code", {}, "meta_mcp.enabled: false"),
          " lists them directly.",
        ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Where the tokens are"),
        bars(tokens.servers),
        tokens.not_listed.length > 0 &&
          h(
            "p",
            { class: "muted pad" },
            `Not in it, because never asked for their tools: ${tokens.not_listed.slice(0, 20).join(", ")}${tokens.not_listed.length > 20 ? " …" : ""}`,
          ),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Finding tools"),
        table(
          [
            { label: "Tool" },
            { label: "Calls", class: "num" },
            { label: "Tokens", class: "num" },
            { label: "Each", class: "num" },
          ],
          tokens.discovery.map(({ name, calls, tokens: spent }) => ({
            key: name,
            cells: [name, exact(calls), exact(spent), exact(Math.round(spent / calls))],
          })),
          { empty: "No search yet." },
        ),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Most called"),
        table(
          [{ label: "Tool" }, { label: "Server" }, { label: "Calls", class: "num" }],
          statistics.top_tools.map(({ server, tool, count: calls }) => ({
            key: `${server} ${tool}`,
            cells: [toolLink(server, tool), serverLink(server), exact(calls)],
          })),
          { empty: "No call yet." },
        ),
      ),
      h(
        "p",
        { class: "muted small pad" },
        `How it is reckoned: a model that is given every tool reads name, description and input schema of each, counted from the lists your servers gave (${tokens.tokenizer}). A session that goes through the gateway reads the gateway's own tools instead, and what it searches for. Saved in all = sessions × saved per session − spent on finding. Prompt caching, which makes long lists cheaper, is not in it.`,
      ),
    ];
  },
};

function bars(servers) {
  const most = Math.max(1, ...servers.map(({ tokens }) => tokens));
  const sorted = [...servers].sort((a, b) => b.tokens - a.tokens);
  return sorted.length === 0
    ? h("p", { class: "muted pad" }, "No server has listed its tools yet.")
    : h(
        "ul",
        { class: "bars" },
        sorted.map(({ server, tools, tokens }) =>
          h(
            "li",
            { "data-key": server },
            serverLink(server),
            h(
              "svg",
              { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
              h("rect", { width: 100, height: 8, rx: 1, class: "none" }),
              h("rect", { width: (tokens / most) * 100, height: 8, rx: 1, class: "some" }),
            ),
            h("span", { class: "num" }, exact(tokens), h("span", { class: "muted" }, ` · ${plural(tools, "tool")}`)),
          ),
        ),
      );
}

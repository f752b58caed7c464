/** Alert rules and the Grafana dashboard: they ask for metrics the gateway has, under labels it gives them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { metricLabels } from "../fixtures/metric-labels.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const monitoring = join(root, "deploy", "monitoring");
const read = (name: string) => readFileSync(join(monitoring, name), "utf8");
const dashboard = JSON.parse(read("grafana-dashboard.json"));
const [group] = parse(read("alerts.yaml")).groups;

/** Labels that Prometheus adds, and words of its language. */
const scrapeLabels = ["job", "instance"];

/** What is wrong with an expression, as sentences. */
function problemsOf(expression: string): string[] {
  const problems: string[] = [];
  for (const [, name, selector = ""] of expression.matchAll(/\b(mcp_\w+|up)\b(?:\{([^}]*)\})?/g)) {
    const histogram = name!.replace(/_(bucket|sum|count)$/, "");
    const labels = metricLabels[name!] ?? metricLabels[histogram];
    if (labels === undefined || (histogram in metricLabels && name === histogram && labels.includes("le"))) {
      problems.push(`there is no metric "${name}"`);
      continue;
    }
    for (const [, label] of selector.matchAll(/(\w+)\s*=?[=~!]/g))
      if (!labels.includes(label!) && !scrapeLabels.includes(label!))
        problems.push(`"${name}" has no label "${label}"`);
  }
  const named = Array.from(expression.matchAll(/\b(mcp_\w+|up)\b/g), ([name]) => name);
  const known = new Set([
    ...scrapeLabels,
    ...named.flatMap((name) => metricLabels[name] ?? metricLabels[name.replace(/_(bucket|sum|count)$/, "")] ?? []),
  ]);
  for (const [, list] of expression.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list!.split(/,\s*/)) if (!known.has(label)) problems.push(`nothing has the label "${label}"`);
  return problems;
}

test("problemsOf: finds metrics and labels that are not there", () => {
  assert.deepEqual(problemsOf('sum by (server) (rate(mcp_tool_invocations_total{status="ok"}[5m]))'), []);
  assert.deepEqual(problemsOf("mcp_tools_total"), ['there is no metric "mcp_tools_total"']);
  assert.deepEqual(problemsOf("mcp_search_duration_seconds"), ['there is no metric "mcp_search_duration_seconds"']);
  assert.deepEqual(problemsOf('mcp_search_total{server=~"x"}'), ['"mcp_search_total" has no label "server"']);
  assert.deepEqual(problemsOf("sum by (tool) (mcp_backend_up)"), ['nothing has the label "tool"']);
});

test("alert rules: each has a severity, words of its own and metrics that exist", () => {
  assert.ok(group.rules.length > 0);
  const names = new Set(group.rules.map(({ alert }: { alert: string }) => alert));
  assert.equal(names.size, group.rules.length);
  for (const { alert, expr, labels, annotations } of group.rules) {
    assert.match(alert, /^Mcp(Gateway|Backend|Tool)[A-Z]/);
    assert.match(labels.severity, /^(warning|critical)$/);
    assert.ok(annotations.summary && annotations.description, alert);
    assert.deepEqual(problemsOf(expr), [], alert);
  }
});

test("dashboard: every panel has its own place and number, and asks for metrics that exist", () => {
  const taken = new Map<string, string>();
  const ids = new Set<number>();
  for (const { id, title, gridPos, targets, datasource } of dashboard.panels) {
    assert.ok(!ids.has(id), `two panels have the number ${id}`);
    ids.add(id);
    assert.equal(datasource.uid, "${" + "datasource}");
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.ok(!taken.has(`${x},${y}`), `"${title}" lies over "${taken.get(`${x},${y}`)}"`);
        taken.set(`${x},${y}`, title);
      }
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) assert.deepEqual(problemsOf(expr), [], title);
  }
  const variables: string[] = dashboard.templating.list.map(({ name }: { name: string }) => name);
  const used = new Set(Array.from(JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g), ([, name]) => name!));
  used.delete("__rate_interval");
  assert.deepEqual([...used].sort(), variables.sort());
  for (const { query, type } of dashboard.templating.list)
    if (type === "query") assert.deepEqual(problemsOf(query.replace(/, \w+\)$/, ")")), []);
});

const promtool = spawnSync("promtool", ["--version"]).status === 0;
const skip = promtool ? false : "needs promtool";
test("alert rules: fire on what they are for, and on nothing less", { skip }, () => {
  const { status, stdout, stderr } = spawnSync(
    "promtool",
    ["test", "rules", join(root, "test/deploy/alerts.test.yaml")],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 0, stdout + stderr);
});

test("dashboard and scrape configuration: Prometheus understands them", { skip }, (t) => {
  const expressions = dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  );
  const rules = expressions.map((expr: string, at: number) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll("$__rate_interval", "5m"),
  }));
  const folder = mkdtempSync(join(tmpdir(), "gateway-panels-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "panels.yaml"), JSON.stringify({ groups: [{ name: "panels", rules }] }));
  const asRules = spawnSync("promtool", ["check", "rules", join(folder, "panels.yaml")], { encoding: "utf8" });
  assert.equal(asRules.status, 0, asRules.stdout + asRules.stderr);
  const config = spawnSync("promtool", ["check", "config", "--syntax-only", join(monitoring, "prometheus.yaml")], {
    encoding: "utf8",
  });
  assert.equal(config.status, 0, config.stdout + config.stderr);
});

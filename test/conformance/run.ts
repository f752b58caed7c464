/**
 * `npm run conformance`: the official suite against the fixture server, directly and through the gateway in front of
 * it, side by side. The rule: the gateway passes what the server behind it passes, check by check. What is known not
 * to is listed in expected-failures.json; an entry that is no longer true fails the run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type GatewayProcess, root, startGateway } from "../e2e/harness.ts";
import expectedFailures from "./expected-failures.json" with { type: "json" };

const revision = "2025-11-25";
const fixture = join(root, "test", "fixtures", "conformance-server.ts");
const suite = join(root, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");
const output = join(root, ".scratch", "conformance");
/** The fixture and the suite need Bun, which runs this script. */
const bun = process.execPath;

/** Scenario → sorted `check: STATUS` lines. */
type Verdicts = Map<string, string[]>;

async function runSuite(leg: string, url: string): Promise<Verdicts> {
  const folder = join(output, leg);
  const args = [suite, "server", "--url", url, "--requirements", revision, "-o", folder];
  const child = spawn(bun, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (chunk) => (log += chunk));
  child.stderr.on("data", (chunk) => (log += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  const verdicts = readVerdicts(folder);
  if (verdicts.size === 0) throw new Error(`The suite gave no results for ${url}:\n${log.slice(-2_000)}`);
  return verdicts;
}

function readVerdicts(folder: string): Verdicts {
  const verdicts: Verdicts = new Map();
  for (const name of readdirSync(folder)) {
    const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
    const checks: { id: string; status: string }[] = JSON.parse(
      readFileSync(join(folder, name, "checks.json"), "utf8"),
    );
    verdicts.set(scenario, checks.map(({ id, status }) => `${id}: ${status}`).sort());
  }
  return verdicts;
}

async function startFixture(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(bun, [fixture], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(String(line).trim()));
    child.once("exit", (code) => reject(new Error(`The fixture server exited with ${code}`)));
  });
  return { url, child };
}

async function throughGateway(leg: string, path: string, config: object): Promise<Verdicts> {
  // The suite subscribes, asks and hangs up faster than a limit made for one backend allows.
  const gateway: GatewayProcess = await startGateway({ ...config, failsafe: { rate_limit: { enabled: false } } });
  try {
    return await runSuite(leg, gateway.url + path);
  } finally {
    await gateway.stop();
  }
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const { url, child } = await startFixture();
const legs = new Map<string, Verdicts>();
try {
  const http = { capabilities: { enabled: false }, backends: { fixture: { http_url: url } } };
  const stdio = { capabilities: { enabled: false }, backends: { fixture: { command: [bun, fixture, "--stdio"] } } };
  legs.set("direct", await runSuite("direct", url));
  legs.set("/mcp/fixture", await throughGateway("backend", "/mcp/fixture", http));
  legs.set("/mcp", await throughGateway("aggregate", "/mcp", { ...http, meta_mcp: { enabled: false } }));
  legs.set("stdio", await throughGateway("stdio", "/mcp/fixture", stdio));
  // Another backend in which everything has the same name.
  const decoyed = { ...http, backends: { decoy: stdio.backends.fixture, ...http.backends } };
  legs.set("with a decoy", await throughGateway("decoy", "/mcp/fixture", decoyed));
} finally {
  child.kill();
}

const direct = legs.get("direct")!;
const differs = new Set<string>();
const problems: string[] = [];
let [passed, failed, expected] = [0, 0, 0];

function judge(leg: string, scenario: string): string {
  const found = legs.get(leg)!.get(scenario) ?? [];
  const good = found.filter((line) => !line.endsWith("FAILURE")).length;
  const same = leg === "direct" ? good === found.length : String(found) === String(direct.get(scenario));
  if (same) {
    passed++;
    return `${good}/${found.length}`;
  }
  differs.add(scenario);
  if (leg !== "direct" && scenario in expectedFailures) {
    expected++;
    return `${good}/${found.length} expected`;
  }
  failed++;
  problems.push(`${leg} ${scenario}:\n    ${found.join("\n    ") || "no result"}`);
  return `${good}/${found.length} FAILED`;
}

const columns = [...legs.keys()];
console.log(`Conformance ${revision}: checks passed, by way to the fixture server\n`);
console.log(["scenario".padEnd(32), ...columns.map((leg) => leg.padEnd(16))].join(" "));
for (const scenario of [...direct.keys()].sort())
  console.log([scenario.padEnd(32), ...columns.map((leg) => judge(leg, scenario).padEnd(16))].join(" "));
for (const scenario of Object.keys(expectedFailures)) {
  if (differs.has(scenario)) continue;
  failed++;
  problems.push(`expected-failures.json names ${scenario}, which passes: remove the entry`);
}
for (const problem of problems) console.log(`\n${problem}`);
console.log(`\n${expected} known to differ, see test/conformance/expected-failures.json`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

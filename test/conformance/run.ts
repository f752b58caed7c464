/**
 * `npm run conformance`: the official suite against the fixture servers of both eras, directly and through the gateway in
 * front of them, side by side. The rule: the gateway passes what the server behind it passes, check by check, also where
 * client and server are of different eras. What is known not to is listed in expected-failures.json; an entry that is no
 * longer true fails the run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type GatewayProcess, root, startGateway } from "../e2e/harness.ts";
import expectedFailures from "./expected-failures.json" with { type: "json" };

type Era = "legacy" | "modern";
const revisions = { legacy: "2025-11-25", modern: "2026-07-28" } as const;
const fixtures = {
  legacy: join(root, "test", "fixtures", "conformance-server.ts"),
  modern: join(root, "test", "fixtures", "conformance-modern-server.ts"),
};
const suite = join(root, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");
const output = join(root, ".scratch", "conformance");
/** The fixtures and the suite need Bun, which runs this script. */
const bun = process.execPath;

/** Scenario → sorted `check: STATUS` lines. */
type Verdicts = Map<string, string[]>;

async function suiteWith(...args: string[]): Promise<{ code: number | null; log: string }> {
  const child = spawn(bun, [suite, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (chunk) => (log += chunk));
  child.stderr.on("data", (chunk) => (log += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, log };
}

async function runSuite(front: Era, leg: string, url: string): Promise<Verdicts> {
  const folder = join(output, `${front}-${leg}`);
  const { log } = await suiteWith("server", "--url", url, "--requirements", revisions[front], "-o", folder);
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

async function startFixture(era: Era): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(bun, [fixtures[era]], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(String(line).trim()));
    child.once("exit", (code) => reject(new Error(`The fixture server exited with ${code}`)));
  });
  return { url, child };
}

async function throughGateway(front: Era, leg: string, path: string, config: object): Promise<Verdicts> {
  // The suite subscribes, asks and hangs up faster than a limit made for one backend allows.
  const gateway: GatewayProcess = await startGateway({ ...config, failsafe: { rate_limit: { enabled: false } } });
  try {
    return await runSuite(front, leg, gateway.url + path);
  } finally {
    await gateway.stop();
  }
}

/** Every way to a server of the same era, and the one to a server of the other. */
async function runLegs(front: Era, urls: Readonly<Record<Era, string>>): Promise<Map<string, Verdicts>> {
  const other = front === "legacy" ? "modern" : "legacy";
  // The fixtures change the description of a tool to show that they can.
  const security = { tool_integrity: { on_change: "warn" } };
  const behind = (fixture: object) => ({ capabilities: { enabled: false }, security, backends: { fixture } });
  const http = behind({ http_url: urls[front] });
  const piped = { command: [bun, fixtures[front], "--stdio"] };
  // Another backend in which everything has the same name.
  const decoyed = { ...http, backends: { decoy: piped, ...http.backends } };
  const through = (leg: string, path: string, config: object) => throughGateway(front, leg, path, config);
  return new Map([
    ["direct", await runSuite(front, "direct", urls[front])],
    ["/mcp/fixture", await through("backend", "/mcp/fixture", http)],
    ["/mcp", await through("aggregate", "/mcp", { ...http, meta_mcp: { enabled: false } })],
    ["stdio", await through("stdio", "/mcp/fixture", behind(piped))],
    ["with a decoy", await through("decoy", "/mcp/fixture", decoyed)],
    [otherEra, await through("other", "/mcp/fixture", behind({ http_url: urls[other] }))],
  ]);
}

const otherEra = "the other era";
const problems: string[] = [];
let [passed, failed, expected] = [0, 0, 0];

/** @param known what is expected to differ, by leg (`*` for every one through the gateway), by scenario, with the reason */
function judge(revision: string, legs: ReadonlyMap<string, Verdicts>, known: Readonly<Record<string, object>>): void {
  const direct = legs.get("direct")!;
  const columns = [...legs.keys()];
  const differing = new Set<string>();
  const cell = (leg: string, scenario: string): string => {
    const found = legs.get(leg)!.get(scenario) ?? [];
    const good = found.filter((line) => !line.endsWith("FAILURE")).length;
    if (leg === "direct" ? good === found.length : String(found) === String(direct.get(scenario))) {
      passed++;
      return `${good}/${found.length}`;
    }
    const list = scenario in (known[leg] ?? {}) ? leg : leg !== "direct" && scenario in (known["*"] ?? {}) ? "*" : "";
    if (list !== "") {
      differing.add(`${list} ${scenario}`);
      expected++;
      return `${good}/${found.length} expected`;
    }
    failed++;
    problems.push(`${revision} ${leg} ${scenario}:\n    ${found.join("\n    ") || "no result"}`);
    return `${good}/${found.length} FAILED`;
  };
  console.log(`\nConformance ${revision}: checks passed, by way to the fixture server\n`);
  console.log(["scenario".padEnd(46), ...columns.map((leg) => leg.padEnd(16))].join(" "));
  for (const scenario of [...direct.keys()].sort())
    console.log([scenario.padEnd(46), ...columns.map((leg) => cell(leg, scenario).padEnd(16))].join(" "));
  for (const [leg, scenarios] of Object.entries(known))
    for (const scenario of Object.keys(scenarios)) {
      if (differing.has(`${leg} ${scenario}`)) continue;
      failed++;
      problems.push(`expected-failures.json names ${scenario} for ${revision} ${leg}, which passes: remove the entry`);
    }
}

/** The suite's own servers with the gateway as their client; its extensions are not among those of a revision. */
async function examineClient(revision: string): Promise<void> {
  const { log } = await suiteWith("list", "--client");
  const scenarios = [...log.matchAll(/- (\S+) \[(.*)\]/g)]
    .filter(([, , of = ""]) => of.split(",").includes(revision))
    .map(([, name = ""]) => name);
  const driver = `${bun} ${join(root, "test", "conformance", "gateway-client.ts")}`;
  console.log(`\nConformance ${revision} of the gateway as a client\n`);
  for (const scenario of scenarios) {
    const args = [
      "--command",
      driver,
      "--scenario",
      scenario,
      "--spec-version",
      revision,
      "-o",
      join(output, "client"),
    ];
    const { code, log } = await suiteWith("client", ...args);
    console.log(`${scenario.padEnd(46)} ${code === 0 ? "passed" : "FAILED"}`);
    if (code === 0) passed++;
    else {
      failed++;
      problems.push(`${revision} client ${scenario}:\n${log.slice(-2_000)}`);
    }
  }
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const servers = { legacy: await startFixture("legacy"), modern: await startFixture("modern") };
const urls = { legacy: servers.legacy.url, modern: servers.modern.url };
try {
  for (const front of ["legacy", "modern"] as const)
    judge(revisions[front], await runLegs(front, urls), expectedFailures[revisions[front]]);
  for (const revision of Object.values(revisions)) await examineClient(revision);
} finally {
  for (const { child } of Object.values(servers)) child.kill();
}
for (const problem of problems) console.log(`\n${problem}`);
console.log(`\n${expected} known to differ, see test/conformance/expected-failures.json`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

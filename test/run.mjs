/**
 * `npm test`: everything that says whether this is good, phase by phase, from a clean clone with only Node.
 * `npm run check` is the same without the phases that need the executable. The last line is the sum of all runners.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binaryPath, endWithParent, ensureInstalled, findBun, findDeno, root } from "../deploy/tools.mjs";

const checkOnly = process.argv[2] === "check";
ensureInstalled();
const bun = findBun();
const deno = findDeno();
const script = (path) => join(root, "node_modules", path);
const folders = readdirSync(join(root, "test"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
/** Side by side: they wait for other processes more than they work. */
const onBinary = [["e2e"], ["faults", "security"]];
const notUnits = [...onBinary.flat(), "browser", "conformance", "fixtures"];
const units = folders.map(({ name }) => name).filter((name) => !notUnits.includes(name));

/** How each runner says what it did. `noise` is held back until the phase has failed, `trivial` is never shown. */
const bunTests = {
  count: [/^ *(\d+) pass$/, /^ *(\d+) fail$/, /^ *(\d+) (?:skip|todo)$/],
  noise: /^bun test v|^ *\d+ (pass|fail|skip|todo)$|^Ran \d+ tests|^\s*$/,
};
const denoTests = {
  count: [/\| (\d+) passed/, /\| (\d+) failed/, /\| (\d+) ignored/],
  noise: /^/,
  trivial: /\.\.\. (ok|ignored)\b|^running \d+ tests?\b/,
};
const conformance = { count: [/^(\d+) passed, \d+ failed$/, /^\d+ passed, (\d+) failed$/, /^\0$/], noise: /^/ };
const silent = { noise: /^/ };

const node = process.execPath;
const tests = (names) => names.map((name) => `./test/${name}/`);
const steps = [
  [phase("format and lint", node, [script("@biomejs/biome/bin/biome"), "ci", "--colors=off"], silent)],
  [phase("types", node, [script("typescript/bin/tsc"), "-p", "."], silent)],
  [phase("generated files", bun, ["deploy/generate.ts", "--check"], silent)],
  [
    phase("tests on Bun", bun, ["test", "--only-failures", "--timeout=30000", ...tests(units)], bunTests),
    phase("tests on Deno", deno, ["test", "-A", "--no-check", ...tests(units)], denoTests),
  ],
];
if (!checkOnly) {
  steps.push(
    [phase("build", bun, ["deploy/build.ts"], silent)],
    onBinary.map((names) =>
      phase(
        `tests of the executable: ${names.join(", ")}`,
        bun,
        ["test", "--only-failures", "--timeout=120000", ...tests(names)],
        bunTests,
      ),
    ),
    [
      phase(
        "dashboard in a browser",
        bun,
        ["test", "--only-failures", "--timeout=60000", ...tests(["browser"])],
        bunTests,
      ),
    ],
    [phase("conformance", bun, ["test/conformance/run.ts"], conformance)],
  );
}

function phase(name, command, args, output) {
  return { name, command, args, ...output };
}

const longestPhaseMs = 6 * 60_000;
const running = new Set();
function stop() {
  for (const child of running) endGroup(child);
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
endWithParent(stop);

function endGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

/** Resolves with `{ passed, failed, skipped }`; a phase that is no test run counts only when it fails, as one. */
async function run({ name, command, args, count, noise, trivial }) {
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    env: {
      ...process.env,
      NO_COLOR: "1",
      DENO_BINARY: deno,
      MCP_GATEWAY_BINARY: binaryPath,
      // A test that starts a gateway again and again lets go of its port meanwhile: the phase beside it has other ones.
      TEST_FIRST_PORT: String(20_000 + running.size * 6_000),
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  running.add(child);
  const totals = [0, 0, 0];
  const held = [];
  let counted = false;
  const read = (stream) =>
    createInterface({ input: stream }).on("line", (line) => {
      count?.forEach((pattern, index) => {
        const match = pattern.exec(line);
        if (!match) return;
        totals[index] += Number(match[1]);
        counted = true;
      });
      if (trivial?.test(line)) return;
      if (noise.test(line)) held.push(line);
      else console.log(`  ${line}`);
    });
  read(child.stdout);
  read(child.stderr);
  const timer = setTimeout(() => {
    console.log(`${name}: not done after ${longestPhaseMs / 60_000} minutes, stopped`);
    endGroup(child);
  }, longestPhaseMs);
  const ok = await new Promise((resolve) => {
    child.on("error", (error) => {
      held.push(`Cannot run ${command}: ${error.message}`);
      resolve(false);
    });
    child.on("close", (code) => resolve(code === 0));
  });
  clearTimeout(timer);
  running.delete(child);

  let [passed, failed, skipped] = totals;
  // A runner that crashed, or ran nothing, must not look like one without failures.
  if (failed === 0 && (!ok || (count && !counted))) failed = 1;
  if (failed > 0) console.log(held.join("\n"));
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const numbers = count ? `, ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}` : "";
  console.log(`${failed > 0 ? "FAIL" : " ok "} ${name} (${seconds} s${numbers})`);
  return { passed, failed, skipped };
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps) {
  for (const outcome of await Promise.all(step.map(run))) for (const key of Object.keys(sum)) sum[key] += outcome[key];
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** `npm run bench [-- startup|stages|latency|calls|sizes|memory …]`: measures and prints; everything without arguments. */
import { cpus } from "node:os";
import { benchCalls, benchLatency, benchMemory, benchSizes } from "./invoke.ts";
import { benchStages } from "./stages.ts";
import { benchStartup } from "./startup.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  startup: benchStartup,
  stages: benchStages,
  latency: benchLatency,
  calls: benchCalls,
  sizes: benchSizes,
  memory: benchMemory,
};
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`Unknown measurement ${unknown.join(", ")}: there are ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
if (process.env["BENCH_ON_ONE_CORE"] !== "1")
  console.log(`Bun ${Bun.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}\n`);
for (const name of asked.length > 0 ? asked : Object.keys(benches)) await benches[name]!();

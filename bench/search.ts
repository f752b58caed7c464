/**
 * Quality and speed of tool search: `bun bench/search.ts DIRECTORY`.
 * The directory holds one folder per set: `tools.jsonl` with {id, server, name, description, inputSchema?,
 * serverDescription?} and `queries*.jsonl` with {id, query, relevant: [tool id]}.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createCatalog } from "../src/catalog/create-catalog.ts";
import type { JsonObject } from "../src/lib/json.ts";

interface BenchTool extends JsonObject {
  readonly id: string;
  readonly server: string;
  readonly name: string;
  readonly serverDescription?: string;
}
interface BenchQuery {
  readonly query: string;
  readonly relevant: readonly string[];
}

const depth = 10;

const directory = process.argv[2];
if (directory === undefined || !existsSync(directory)) {
  console.error(`No query sets${directory ? ` in "${directory}"` : ""}: pass a directory with one folder per set`);
  process.exit(1);
}

console.log("set                            tools queries    R@1    R@5   R@10 nDCG@10   p50 ms   p99 ms  first ms");
for (const folder of readdirSync(directory, { withFileTypes: true })) {
  if (!folder.isDirectory()) continue;
  const path = `${directory}/${folder.name}`;
  const tools = readLines<BenchTool>(`${path}/tools.jsonl`);
  for (const file of readdirSync(path)
    .filter((name) => /^queries.*\.jsonl$/.test(name))
    .sort())
    await measure(`${folder.name}/${file.replace(".jsonl", "")}`, tools, readLines<BenchQuery>(`${path}/${file}`));
}

async function measure(label: string, tools: readonly BenchTool[], queries: readonly BenchQuery[]): Promise<void> {
  const catalog = createCatalog({ now: Date.now });
  const servers = Map.groupBy(tools, ({ server }) => server);
  catalog.setServers(
    [...servers].map(([name, [first]]) => ({ name, description: first?.serverDescription ?? "", key: "" })),
  );
  for (const [name, items] of servers) catalog.update(name, "tools", items);
  const search = (query: string) => catalog.search(query, { limit: depth, visible: () => true });

  const started = performance.now();
  await search("first");
  const firstMs = performance.now() - started;
  for (const { query } of queries.slice(0, 200)) await search(query);

  const times: number[] = [];
  const sums = { r1: 0, r5: 0, r10: 0, ndcg: 0 };
  for (const { query, relevant: labels } of queries) {
    const relevant = [...new Set(labels)];
    const before = performance.now();
    const hits = await search(query);
    times.push(performance.now() - before);
    const gains = hits.map(({ listed }) => (relevant.includes(String(listed["id"])) ? 1 : 0));
    const recall = (at: number) => gains.slice(0, at).reduce<number>((sum, gain) => sum + gain, 0) / relevant.length;
    sums.r1 += recall(1);
    sums.r5 += recall(5);
    sums.r10 += recall(10);
    sums.ndcg += discounted(gains) / discounted(relevant.slice(0, depth).map(() => 1));
  }
  times.sort((a, b) => a - b);
  const percent = (sum: number) => ((100 * sum) / queries.length).toFixed(1).padStart(6);
  const quantile = (part: number) => (times[Math.floor((times.length - 1) * part)] as number).toFixed(2).padStart(8);
  console.log(
    `${label.padEnd(30)} ${String(tools.length).padStart(5)} ${String(queries.length).padStart(7)} ` +
      `${percent(sums.r1)} ${percent(sums.r5)} ${percent(sums.r10)} ${percent(sums.ndcg).padStart(7)} ` +
      `${quantile(0.5)} ${quantile(0.99)} ${firstMs.toFixed(0).padStart(9)}`,
  );
}

function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, at) => sum + gain / Math.log2(at + 2), 0);
}

function readLines<T>(path: string): T[] {
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

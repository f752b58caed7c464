/** How often tools were called with success, in this run and earlier ones: what profiles know of it. */
import type { Clock } from "../lib/clock.ts";
import type { ToolUsage } from "../meta/meta-tool.ts";
import type { MetaMcpSettings } from "../meta/schema.ts";
import type { Observatory } from "../observe/observatory.ts";

/** What comes meanwhile is not counted yet. */
const freshMs = 60_000;

export interface UsageOptions {
  readonly settings: () => Pick<MetaMcpSettings, "rank_by_usage" | "promote_often_used">;
  readonly clock: Pick<Clock, "now">;
  observatory(): Promise<Observatory>;
}

export function createUsage({ settings, clock, observatory }: UsageOptions): ToolUsage {
  let counts: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map();
  let most: readonly { readonly server: string; readonly tool: string }[] | undefined;
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> = Promise.resolve();

  async function count(): Promise<void> {
    const { profiles } = await (await observatory()).all();
    counts = new Map(
      [...profiles].map(([server, tools]) => [
        server,
        new Map([...tools].map(([tool, { kinds }]) => [tool, kinds.ok])),
      ]),
    );
    most ??= [...counts]
      .flatMap(([server, tools]) => [...tools].map(([tool, successes]) => ({ server, tool, successes })))
      .filter(({ successes }) => successes > 0)
      .sort((a, b) => b.successes - a.successes);
  }

  return {
    async ready() {
      const { rank_by_usage, promote_often_used } = settings();
      if (!rank_by_usage && promote_often_used === 0) return;
      if (clock.now() - countedAtMs >= freshMs) {
        countedAtMs = clock.now();
        counting = count().catch(() => {});
      }
      // Only the first time is waited for: an older count is good enough.
      if (most === undefined) await counting;
    },
    successes: (server, tool) => (settings().rank_by_usage ? (counts.get(server)?.get(tool) ?? 0) : 0),
    most: () => most ?? [],
  };
}

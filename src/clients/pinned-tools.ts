/** Tools of backends that are listed beside the meta-tools. */
import type { FaceHost } from "./host.ts";

interface PinnedTool {
  readonly server: string;
  readonly tool: string;
}

/** By configuration, then by use; each once. */
export function pinnedTools({ meta, usage }: Pick<FaceHost, "meta" | "usage">): readonly PinnedTool[] {
  const { surfaced_tools: chosen, promote_often_used: count } = meta;
  if (count === 0) return chosen;
  const isChosen = (one: PinnedTool) => chosen.some(({ server, tool }) => server === one.server && tool === one.tool);
  return [
    ...chosen,
    ...usage
      .most()
      .filter((one) => !isChosen(one))
      .slice(0, count),
  ];
}

/** Counts of `meta_mcp.projection_mode: experimental`, since the gateway started. */
import type { ProjectedAnswer } from "../core/projected-answer.ts";

export class ProjectionTrial {
  /** None of an arm that had no answer. */
  readonly arms = new Map<ProjectedAnswer["arm"], { projected: number; plain: number; bytes: number }>();

  note({ arm, isProjected, bytes }: ProjectedAnswer): void {
    const counts = this.arms.get(arm) ?? { projected: 0, plain: 0, bytes: 0 };
    this.arms.set(arm, counts);
    counts[isProjected ? "projected" : "plain"]++;
    counts.bytes += bytes;
  }
}

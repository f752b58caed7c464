/** `meta_mcp.projection_mode: experimental` gives half of the sessions projected answers, and tells of both halves. */
import type { ProjectedAnswer } from "../core/projected-answer.ts";
import { sha256Hex } from "../runtime/digest.ts";

export interface ProjectionOptions {
  readonly mode: "off" | "on" | "experimental";
  /** Told in `experimental`. */
  readonly onAnswer?: ((answer: ProjectedAnswer) => void) | undefined;
}

/** The same for a session at every gateway and after every start; `undefined` for what is not compared. */
export function armOf(
  mode: ProjectionOptions["mode"],
  sessionId: string | undefined,
): ProjectedAnswer["arm"] | undefined {
  if (mode !== "experimental" || sessionId === undefined) return undefined;
  return Number.parseInt(sha256Hex(sessionId).slice(-1), 16) % 2 === 0 ? "control" : "treatment";
}

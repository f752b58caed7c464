/** The steps that sessions take from tool to tool, as policies see them; nothing of it is loaded unless a setting wants it. */
import type { Config } from "../config/schema.ts";
import type { StageOptions } from "../stages/order.ts";
import type { StepBook, StepBookOptions } from "./step-book.ts";

export interface SessionPaths {
  /** For the stages in front of each backend. */
  forStages(
    config: Pick<Config, "meta_mcp" | "security">,
  ): Promise<Pick<StageOptions, "steps" | "judgeStep" | "predictNext">>;
  /** The session has ended. */
  forget(sessionId: string): void;
  flush(): Promise<void>;
}

export function createSessionPaths(options: StepBookOptions): SessionPaths {
  let opening: Promise<StepBook> | undefined;
  let opened: StepBook | undefined;

  async function open(): Promise<StepBook> {
    const { openStepBook } = await import("./step-book.ts");
    opened = await openStepBook(options);
    return opened;
  }

  return {
    async forStages({ meta_mcp, security: { firewall } }) {
      const isJudged = firewall.enabled && firewall.anomaly_detection;
      if (!isJudged && !meta_mcp.predict_next) return {};
      opening ??= open();
      const { steps, judge, predict } = await opening;
      return { steps, judgeStep: judge, predictNext: meta_mcp.predict_next ? predict : undefined };
    },
    forget: (sessionId) => opened?.forget(sessionId),
    async flush() {
      await (await opening)?.flush();
    },
  };
}

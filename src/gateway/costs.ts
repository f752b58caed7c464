/** The costs of the gateway as stages and reports see them; the ledger is opened by the first call that asks for it. */
import type { CostBook } from "../stages/cost/cost-stage.ts";
import type { CostReport } from "../stages/cost/report.ts";
import type { CostGovernanceSettings } from "../stages/cost/schema.ts";
import type { CostBookOptions, OpenCostBook } from "./cost-book.ts";

export interface Costs {
  readonly book: CostBook;
  report(settings: CostGovernanceSettings): Promise<CostReport>;
  flush(): Promise<void>;
}

export function createCosts(options: CostBookOptions): Costs {
  let opening: Promise<OpenCostBook> | undefined;
  let opened: OpenCostBook | undefined;

  function open(): Promise<OpenCostBook> {
    opening ??= import("./cost-book.ts").then(async ({ openCostBook }) => {
      opened = await openCostBook(options);
      return opened;
    });
    return opening;
  }

  return {
    book: {
      ledger: () => opened?.ledger ?? open().then(({ ledger }) => ledger),
      onAlert: (alert) => opened?.note(alert),
    },
    async report(settings) {
      const { costReport } = await import("../stages/cost/report.ts");
      return costReport(settings, (await open()).ledger);
    },
    async flush() {
      await (await opening)?.flush();
    },
  };
}

/** The costs of the gateway as stages and reports see them; the ledger is opened by the first call that asks for it. */
import type { CostBook } from "../stages/cost/cost-stage.ts";
import type { CostReport } from "../stages/cost/report.ts";
import type { CostGovernanceSettings } from "../stages/cost/schema.ts";
import type { CostBookOptions, OpenCostBook } from "./cost-book.ts";
import type { Sharing } from "./sharing.ts";

export interface Costs {
  readonly book: CostBook;
  report(settings: CostGovernanceSettings): Promise<CostReport>;
  flush(): Promise<void>;
}

export function createCosts(options: CostBookOptions & { readonly sharing: Sharing }): Costs {
  const { sharing, now } = options;
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
      shared: () => sharing.state?.then(({ ledger }) => ledger),
      onAlert: (alert) => opened?.note(alert),
    },
    async report(settings) {
      const [{ costReport }, { CostLedger }] = await Promise.all([
        import("../stages/cost/report.ts"),
        import("../stages/cost/ledger.ts"),
      ]);
      const days = await sharing.state?.then((state) => state.ledger.days());
      return costReport(settings, days === undefined ? (await open()).ledger : new CostLedger(now, days));
    },
    async flush() {
      await (await opening)?.flush();
    },
  };
}

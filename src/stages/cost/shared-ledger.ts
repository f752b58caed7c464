/** The ledger that several gateways keep together, as far as calls need it. */
import type { Budget } from "./budgets.ts";

export interface Charge {
  /** `server:tool` */
  readonly tool: string;
  /** The caller's name. */
  readonly caller: string;
  readonly cost: number;
}

export interface Reservation {
  /** With what all gateways had spent before; as far as that is known, while they are out of reach. */
  readonly budgets: readonly Budget[];
  /** The call is not made after all. Without effect where nothing was charged. */
  takeBack(): void;
}

export interface SharedLedger {
  /**
   * Charges the budgets, in one step for all gateways, unless the cost takes one of them beyond its limit. While they
   * are out of reach it is charged in any case.
   * @param budgets with what this gateway knows to be spent, now
   * @param blockAtPercent share of a budget that is its limit; Infinity where none is kept to
   */
  reserve(charge: Charge, budgets: () => readonly Budget[], blockAtPercent: number): Promise<Reservation>;
}

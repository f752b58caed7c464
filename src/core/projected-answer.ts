/** What is told of an answer of a capability that has a projection, in a session that is compared with others. */
export interface ProjectedAnswer {
  /** The half of the sessions it belongs to: in `treatment`, answers are projected. */
  readonly arm: "control" | "treatment";
  /** Also false in `treatment` where the whole answer was asked for, or it holds no JSON. */
  readonly isProjected: boolean;
  readonly bytes: number;
}

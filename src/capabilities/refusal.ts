/** A call that ends without an answer of the API, for a reason a model or an operator can act on; shown as an `isError` result. */
export class Refusal extends Error {
  /** What to do about it, or what the API said; shown to the caller, never logged. */
  readonly detail: string | undefined;

  constructor(message: string, detail?: string) {
    super(message);
    this.name = "Refusal";
    this.detail = detail;
  }
}

/** What the gateway and the thread of a program tell each other. Values of the program cross as JSON text. */

export interface ProgramStart {
  readonly source: string;
  readonly maxMemoryBytes: number;
  /** Time the program itself may compute, waiting for calls not counted. */
  readonly maxComputeMs: number;
  readonly maxResultCharacters: number;
}

export type ToProgram =
  | { readonly is: "start"; readonly start: ProgramStart }
  | { readonly is: "answer"; readonly id: number; readonly json: string }
  | { readonly is: "refusal"; readonly id: number; readonly message: string };

export type FromProgram =
  | { readonly is: "call"; readonly id: number; readonly server: string; readonly tool: string; readonly json: string }
  | ProgramEnd;

export type ProgramEnd =
  /** `json` is `undefined` for a program that returns nothing. */
  | { readonly is: "returned"; readonly json: string | undefined; readonly logs: readonly string[] }
  | { readonly is: "failed"; readonly message: string; readonly logs: readonly string[] };

/** WebAssembly that is made with the program, compiled when it is first needed. */
export class WasmModule<Exports> {
  readonly #base64: string;
  #module: WebAssembly.Module | "none" | undefined;

  constructor(base64: string) {
    this.#base64 = base64;
  }

  /** What a new instance exports; `undefined` where the processor lacks instructions for it, as old ones do. */
  instance(): Exports | undefined {
    this.#module ??= this.#compile();
    if (this.#module === "none") return undefined;
    return new WebAssembly.Instance(this.#module).exports as unknown as Exports;
  }

  #compile(): WebAssembly.Module | "none" {
    try {
      return new WebAssembly.Module(Buffer.from(this.#base64, "base64"));
    } catch {
      return "none";
    }
  }
}

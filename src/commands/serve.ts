import type { Command } from "./command.ts";
import type { GlobalOptions } from "./global-options.ts";

export interface ServeArgs extends GlobalOptions {
  /** Speak over standard input and output instead of HTTP. */
  readonly stdio: boolean;
}

export const serve = {
  meta: { name: "serve", description: "Run the gateway (what happens without a command)" },
  args: {
    stdio: { type: "boolean", description: "Speak MCP over standard input and output instead of HTTP" },
    validate: { type: "boolean", description: "Check the configuration and exit" },
  },
  async run(input) {
    if (input.flag("validate")) return (await import("./run/validate.ts")).run(input);
    await (await import("./run/serve.ts")).run({ ...input.global, stdio: input.flag("stdio") });
    return 0;
  },
} satisfies Command;

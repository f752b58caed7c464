import type { RuntimeProfile } from "./schema.ts";

/** What isolates the program; `undefined` for a plain process. */
export function providerProgram({
  provider,
  executable,
}: Pick<RuntimeProfile, "provider" | "executable">): string | undefined {
  if (provider === "local_process") return undefined;
  return executable ?? (provider === "bubblewrap" ? "bwrap" : provider);
}

/** For what runs programs or sends keys: whoever reaches the port must not be enough for that (T12). */
import { DeniedError } from "../../../core/errors.ts";
import type { Task } from "./route.ts";

/** @param what is done, as the beginning of a sentence. @throws DeniedError */
export function assertProven({ gateway }: Task, what: string): void {
  if (!gateway.config.auth.enabled)
    throw new DeniedError("FORBIDDEN", `${what} here only where auth.enabled is true`, {
      hint: "Do it on the machine of the gateway, with its files or the commands of mcp-gateway",
    });
}

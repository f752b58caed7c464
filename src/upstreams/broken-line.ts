/** Which request a line answers that cannot be read, told from its ends: servers write the id first or last. */
import { UpstreamError } from "../core/errors.ts";
import type { BrokenLine } from "../mcp/line-reader.ts";

const idFirst = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/;
const idLast = /,\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

export function idOfBroken({ head, tail }: Omit<BrokenLine, "problem">): number | undefined {
  const id = idFirst.exec(head)?.[1] ?? idLast.exec(tail)?.[1];
  return id === undefined ? undefined : Number(id);
}

export function brokenLineError(
  problem: BrokenLine["problem"] | "not JSON",
  server: string,
  maxBytes: number,
): UpstreamError {
  if (problem === "too long")
    return new UpstreamError(
      "RESULT_TOO_LARGE",
      `Server "${server}" answered with more than ${maxBytes} bytes, the "max_result_size" of this backend`,
      { hint: "Ask for less at once, or raise max_result_size", data: { server, max_result_size: maxBytes } },
    );
  return new UpstreamError("UPSTREAM_PROTOCOL", `Server "${server}" answered with a line that is ${problem}`, {
    data: { server },
  });
}

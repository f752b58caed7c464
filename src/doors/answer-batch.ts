/** JSON-RPC batches, which revisions up to 2025-03-26 allow and later ones removed (changelog of 2025-06-18). */
import { GatewayError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { toRpcError } from "../mcp/error-answer.ts";
import { classifyMessage, encodeError, isRequestId, type RequestId, type RpcMessage } from "../mcp/json-rpc.ts";
import type { LegacyVersion } from "../mcp/protocol.ts";

const maxBatchSize = 100;
const lastVersionWithBatches: LegacyVersion = "2025-03-26";

/** @throws GatewayError INVALID_REQUEST when the revision has no batches, or this one is empty or too long */
export function checkBatch(values: readonly unknown[], version: LegacyVersion): void {
  // Revisions are dates, so their text sorts as they do.
  if (version > lastVersionWithBatches)
    throw new GatewayError("INVALID_REQUEST", `Revision ${version} of the protocol has no batches`, {
      hint: "Send one message at a time",
    });
  if (values.length === 0) throw new GatewayError("INVALID_REQUEST", "The batch is empty");
  if (values.length > maxBatchSize)
    throw new GatewayError("INVALID_REQUEST", `The batch has ${values.length} messages, more than ${maxBatchSize}`);
}

/**
 * Answers every message of a checked batch, all at the same time; what is wrong with one harms no other.
 * Resolves with the JSON texts of the responses; notifications have none.
 */
export async function answerBatch(
  values: readonly unknown[],
  requestId: string,
  handle: (message: RpcMessage) => Promise<string | undefined>,
): Promise<string[]> {
  const answers = await Promise.all(
    values.map(async (value) => {
      try {
        const message = classifyMessage(value);
        if (message.kind === "request" && message.method === "initialize")
          throw new GatewayError("INVALID_REQUEST", '"initialize" cannot be part of a batch');
        return await handle(message);
      } catch (error) {
        return encodeError(idOf(value), toRpcError(error, requestId));
      }
    }),
  );
  return answers.filter((answer) => answer !== undefined);
}

/** The id an error about this value is to carry: its own where that can be told. */
export function idOf(value: unknown): RequestId | null {
  if (!isJsonObject(value)) return null;
  return isRequestId(value["id"]) ? value["id"] : null;
}

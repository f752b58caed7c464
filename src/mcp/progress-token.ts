import type { RpcRequest } from "../core/call.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";

/** The params to send: with a progress token of ours where the caller wants progress, else as they are. */
export function withProgressToken({ params, onProgress }: RpcRequest, progressToken: number): JsonObject | undefined {
  if (onProgress === undefined) return params;
  const meta = params?.["_meta"];
  return { ...params, _meta: { ...(isJsonObject(meta) ? meta : {}), progressToken } };
}

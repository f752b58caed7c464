/** What becomes of the answer of a capability on its way to who called it. */
import type { ResultTransform } from "../core/transform/result-transform.ts";
import type { ResultTransformSettings } from "../core/transform/schema.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Capability } from "./capability.ts";

interface Transforms {
  readonly before: ResultTransform | undefined;
  readonly after: ResultTransform | undefined;
  /** Of {@link after}, what is left for those who want the whole answer. */
  readonly redaction: ResultTransform | undefined;
}

const known = new WeakMap<Capability, Transforms>();

async function transformsOf(capability: Capability): Promise<Transforms> {
  const { ResultTransform } = await import("../core/transform/result-transform.ts");
  const make = (settings: ResultTransformSettings | undefined) => settings && new ResultTransform(settings);
  const { transform, responseTransform } = capability;
  const redact = responseTransform?.redact ?? [];
  const transforms = known.get(capability) ?? {
    before: make(transform),
    after: make(responseTransform),
    redaction: make(redact.length === 0 ? undefined : { project: [], rename: {}, redact, format: undefined }),
  };
  known.set(capability, transforms);
  return transforms;
}

/** By `transform`: a part of what the API is. */
export async function transformed(capability: Capability, result: JsonObject): Promise<JsonObject> {
  if (capability.transform === undefined) return result;
  return (await transformsOf(capability)).before?.apply(result) ?? result;
}

/** By `response_transform`. @param isFull takes nothing from the answer but what that redacts */
export async function presented(capability: Capability, result: JsonObject, isFull: boolean): Promise<JsonObject> {
  if (capability.responseTransform === undefined) return result;
  const { after, redaction } = await transformsOf(capability);
  return (isFull ? redaction : after)?.apply(result) ?? result;
}

/** By `projection`; the same result where there is nothing to project. */
export async function projectedAnswer({ projection }: Capability, result: JsonObject): Promise<JsonObject> {
  return projection === undefined ? result : (await import("./projection.ts")).projected(projection, result);
}

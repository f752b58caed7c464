/** What a client may be asked: what it declared in `initialize`, and nothing else (basic/lifecycle, "Capability Negotiation"). */
import { GatewayError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";

const capabilityOf: Readonly<Record<string, string>> = {
  "sampling/createMessage": "sampling",
  "elicitation/create": "elicitation",
  "roots/list": "roots",
};

/** Whether there is anything at all that this client can be asked. */
export function canBeAsked(capabilities: JsonObject): boolean {
  return Object.values(capabilityOf).some((name) => capabilities[name] !== undefined);
}

export function isSupported(method: string, params: JsonObject, capabilities: JsonObject): boolean {
  try {
    assertSupported(method, params, capabilities);
    return true;
  } catch {
    return false;
  }
}

/** @throws GatewayError METHOD_NOT_FOUND, or INVALID_PARAMS for a kind of it that the client does not support */
export function assertSupported(method: string, params: JsonObject, capabilities: JsonObject): void {
  const name = Object.hasOwn(capabilityOf, method) ? (capabilityOf[method] as string) : undefined;
  if (name === undefined) throw new GatewayError("METHOD_NOT_FOUND", `"${method}" is no request for a client`);
  const declared = capabilities[name];
  if (!isJsonObject(declared)) throw new GatewayError("METHOD_NOT_FOUND", `The client does not support "${method}"`);
  if (name === "elicitation") {
    const mode = params["mode"] ?? "form";
    // An empty capability is that of 2025-06-18, which knew only forms.
    const isPlain = mode === "form" && Object.keys(declared).length === 0;
    if (!isPlain && declared[String(mode)] === undefined)
      throw new GatewayError("INVALID_PARAMS", `The client does not support elicitation of mode "${mode}"`);
  }
  const usesTools = params["tools"] !== undefined || params["toolChoice"] !== undefined;
  if (name === "sampling" && usesTools && declared["tools"] === undefined)
    throw new GatewayError("INVALID_PARAMS", "The client does not support sampling with tools");
}

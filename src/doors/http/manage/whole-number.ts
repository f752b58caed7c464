import { GatewayError } from "../../../core/errors.ts";

/** A parameter of the address. @throws GatewayError INVALID_PARAMS when it is none from 0 on */
export function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null || text === "") return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new GatewayError("INVALID_PARAMS", `"${name}" must be a whole number from 0 on, not "${text.slice(0, 50)}"`);
}

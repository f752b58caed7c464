/** How a secret of `backends.<name>.secrets` travels, and with which requests. */
import type { Attachment } from "../../core/call.ts";
import { globMatches } from "../../lib/glob.ts";
import type { InjectedSecret } from "./schema.ts";

/** With every request to the server, or the handshake where that is all there is, and so a matter of the connection. */
export function isOfConnection({ inject_as, tools }: InjectedSecret): boolean {
  return inject_as !== "argument" && isForEveryTool(tools);
}

export function isForTool({ tools }: InjectedSecret, tool: string): boolean {
  return isForEveryTool(tools) || tools.some((pattern) => globMatches(pattern, tool));
}

function isForEveryTool(tools: readonly string[]): boolean {
  return tools.length === 0 || tools.includes("*");
}

/** Their headers and parameters, the later of two of one name; `undefined` when there are none. */
export function attachmentOf(secrets: readonly InjectedSecret[]): Attachment | undefined {
  const of = (place: InjectedSecret["inject_as"]) => secrets.filter(({ inject_as }) => inject_as === place);
  const headers = Object.fromEntries(of("header").map((one) => [one.inject_key.toLowerCase(), headerValue(one)]));
  const query = Object.fromEntries(of("query").map(({ inject_key, value }) => [inject_key, value]));
  const isEmpty = Object.keys(headers).length === 0 && Object.keys(query).length === 0;
  return isEmpty ? undefined : { headers, query };
}

/** A scheme that is there already stays; so does a basic credential without ":", which is in base64 by then. */
export function headerValue({ credential_type, value }: InjectedSecret): string {
  if (credential_type === "bearer") return /^bearer /i.test(value) ? value : `Bearer ${value}`;
  if (credential_type !== "basic_auth" || /^basic /i.test(value)) return value;
  return `Basic ${value.includes(":") ? toBase64(value) : value}`;
}

/** Every text that gives it away: itself, what follows a scheme in it, and the password in a pair. */
export function secretForms({ credential_type, value }: Pick<InjectedSecret, "credential_type" | "value">): string[] {
  const bare = value.replace(/^(?:bearer|basic) /i, "");
  const pair = credential_type !== "basic_auth" || bare.includes(":") ? bare : fromBase64(bare);
  const password = credential_type === "basic_auth" ? [pair.slice(pair.indexOf(":") + 1)] : [];
  return [...new Set([value, bare, pair, ...password])];
}

function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function fromBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
  } catch {
    return text;
  }
}

/** The form of a token exchange (RFC 8693 2.1), read and checked. */

import { readBody } from "../http/read-body.ts";
import { decodeBody } from "../parse-json.ts";
import { ExchangeError } from "./exchange-error.ts";
import type { GrantedScope } from "./identity.ts";

const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
export const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const idTokenTypes = ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];
const maxBytes = 65_536;

export interface ExchangeRequest {
  readonly idToken: string;
  readonly asked: GrantedScope;
}

/** @throws ExchangeError; GatewayError BODY_TOO_LARGE, PARSE_ERROR */
export async function readExchange(request: Request): Promise<ExchangeRequest> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded")
    throw invalid('The "Content-Type" header must be "application/x-www-form-urlencoded"');
  const form = new URLSearchParams(decodeBody(await readBody(request, maxBytes)));
  const field = (name: string): string | undefined => {
    const values = form.getAll(name);
    if (values.length > 1) throw invalid(`The form has "${name}" more than once`);
    return values[0] || undefined;
  };
  if (field("grant_type") !== grantType)
    throw new ExchangeError(400, "unsupported_grant_type", `The form needs "grant_type", which must be "${grantType}"`);
  const idToken = field("subject_token");
  if (idToken === undefined) throw invalid('The form needs "subject_token", the ID token');
  // Left out, it is what it can only be.
  if (!idTokenTypes.includes(field("subject_token_type") ?? (idTokenTypes[0] as string)))
    throw invalid(`The "subject_token_type" must be "${idTokenTypes[0]}"`);
  if ((field("requested_token_type") ?? accessTokenType) !== accessTokenType)
    throw invalid(`The "requested_token_type" must be "${accessTokenType}"`);
  if (form.has("actor_token")) throw invalid('The form has "actor_token": nobody can act for others here');
  return { idToken, asked: readScope(field("scope")) };
}

/** `backends:a,b tools:x,y`. A word that means nothing here is refused: overlooked, it would give more than was asked for. */
function readScope(scope = ""): GrantedScope {
  const asked: Record<string, string[]> = { backends: [], tools: [] };
  for (const word of scope.split(" ").filter((one) => one !== "")) {
    const [, kind = "", names = ""] = /^(backends|tools):([^,]+(?:,[^,]+)*)$/.exec(word) ?? [];
    if (kind === "")
      throw new ExchangeError(
        400,
        "invalid_scope",
        `The scope must be as "backends:a,b tools:x,y", not "${word.slice(0, 100)}"`,
      );
    asked[kind]?.push(...names.split(","));
  }
  const unlessNone = (names: string[] = []) => (names.length === 0 || names.includes("*") ? undefined : names);
  return { backends: unlessNone(asked["backends"]), tools: unlessNone(asked["tools"]) };
}

/** As {@link readScope} reads it. */
export function scopeText({ backends = ["*"], tools = ["*"] }: GrantedScope): string {
  return `backends:${backends.join(",")} tools:${tools.join(",")}`;
}

function invalid(message: string): ExchangeError {
  return new ExchangeError(400, "invalid_request", message);
}

/** Who may come in: tokens, users, keys, origins, TLS, and how often. */
import { isMap, type Path, type Settings } from "../../config/path.ts";
import type { Conversion } from "./conversion.ts";

const auth: Path = ["security", "auth"];
/** What the verification of tokens asks of a shared secret (RFC 7518 3.2). */
const minSecretBytes = 32;

export function convertAccess(conversion: Conversion): void {
  const enabled = conversion.get([...auth, "enabled"]);
  if (enabled !== undefined) conversion.set([...auth, "enabled"], ["auth", "enabled"], enabled);
  const limit = rateLimitOf(conversion);
  convertKeys(conversion, limit);
  convertUsers(conversion, limit);
  convertTokens(conversion, limit);
  sayRateLimit(conversion, limit);
  convertOrigins(conversion);
  convertTls(conversion);
}

function convertKeys(conversion: Conversion, limit: Settings): void {
  const header = conversion.get([...auth, "api_key_header"]);
  if (typeof header === "string")
    conversion.leaveOut([...auth, "api_key_header"], "keys come in X-API-Key, or as a bearer token in Authorization");
  const from = [...auth, "api_keys"];
  const written = conversion.get(from);
  if (written === undefined) return;
  const named = isMap(written)
    ? Object.entries(written).map(([name, key]) => (isMap(key) ? { name, ...key } : { name, key }))
    : Array.isArray(written)
      ? written.map((key: unknown) => (isMap(key) ? key : { key }))
      : [];
  const keys = named
    .map(({ name, key }: Settings) => ({ key, name: typeof name === "string" ? name : "" }))
    .filter(({ key }) => typeof key === "string" && key !== "");
  if (keys.length < named.length || keys.length === 0)
    conversion.leaveOut(from, "a key must be a text that is not empty");
  if (keys.length === 0) return;
  conversion.secrets.push(...keys.map(({ key }) => key as string));
  const entries = keys.map(({ key, name }) => ({ key, ...(name !== "" && { name }), ...limit }));
  conversion.set(from, ["auth", "api_keys"], entries, "each may call everything, and is no admin");
}

function convertUsers(conversion: Conversion, limit: Settings): void {
  const from = [...auth, "basic_auth_users"];
  const written = conversion.get(from);
  if (!isMap(written)) return;
  const users: Settings[] = [];
  for (const [name, password] of Object.entries(written)) {
    if (typeof password === "string") conversion.secrets.push(password);
    if (typeof password !== "string" || password === "") conversion.leaveOut([...from, name], "it has no password");
    else if (/^\$(?:2[aby]?|argon2\w*|[156])\$/.test(password))
      conversion.leaveOut([...from, name], "a password is needed here, not its digest; env:VAR names a variable");
    else if (name === "" || name.includes(":"))
      conversion.leaveOut([...from, name], 'a name is not empty and has no ":", which ends it in HTTP Basic');
    else users.push({ name, password, ...limit });
  }
  if (users.length > 0) conversion.set(from, ["auth", "users"], users, "each may call everything, and is no admin");
}

function convertTokens(conversion: Conversion, limit: Settings): void {
  const secretPath = [...auth, "jwt_secret"];
  const issuerPath = [...auth, "jwt_issuer"];
  const audiencePath = [...auth, "jwt_audience"];
  if (conversion.get([...auth, "jwt_expiration"]) !== undefined)
    conversion.leaveOut([...auth, "jwt_expiration"], "a token says itself when it ends");
  const [secret, issuer, audience] = [secretPath, issuerPath, audiencePath].map((path) => conversion.get(path));
  if (typeof secret !== "string") return;
  conversion.secrets.push(secret);
  if (typeof issuer !== "string" || typeof audience !== "string") {
    conversion.leaveOut(
      secretPath,
      "tokens are taken from a named issuer, for a named audience: add jwt_issuer and jwt_audience, have the tokens say both, and import again",
    );
    return;
  }
  if (new TextEncoder().encode(secret).length < minSecretBytes) {
    conversion.leaveOut(secretPath, `a secret has at least ${minSecretBytes} bytes: sign the tokens with a longer one`);
    return;
  }
  const rules = [{ backends: ["*"], ...limit }];
  const entry = { issuer, audiences: [audience], secret, rules };
  const comment = "its tokens need iss, aud, sub and exp; each may call everything, and is no admin";
  conversion.set(secretPath, ["auth", "issuers"], [entry], comment);
  conversion.set(issuerPath, ["auth", "issuers"], [entry]);
  conversion.set(audiencePath, ["auth", "issuers"], [entry]);
}

const limits: Path = ["security", "rate_limiting"];

/** What every key, user and token gets; nothing when there is no limit. */
function rateLimitOf(conversion: Conversion): Settings {
  const perMinute = conversion.get([...limits, "requests_per_minute"]);
  const isOn = conversion.get([...limits, "enabled"]) !== false;
  return isOn && typeof perMinute === "number" && perMinute >= 1 ? { rate_limit: Math.floor(perMinute) } : {};
}

function sayRateLimit(conversion: Conversion, limit: Settings): void {
  const from = [...limits, "requests_per_minute"];
  const holders: Path[] = [
    ["auth", "api_keys"],
    ["auth", "users"],
    ["auth", "issuers"],
  ];
  const made = isMap(conversion.settings["auth"]) ? conversion.settings["auth"] : {};
  const limited = holders.filter(([, key]) => made[key as string] !== undefined);
  if (limit["rate_limit"] !== undefined && limited.length > 0) {
    for (const to of limited) conversion.set(from, to, made[to[1] as string]);
  } else if (conversion.get(from) !== undefined)
    conversion.leaveOut(
      from,
      conversion.get([...limits, "enabled"]) === false
        ? "it was switched off"
        : "callers are told apart by their key: give each a rate_limit; failsafe.rate_limit bounds each backend",
    );
  const why: Readonly<Record<string, string>> = {
    enabled: "a key without rate_limit has none",
    burst_size: "a key may use the requests of its minute at once",
    key_strategy: "requests are counted by key, user or token, never by address",
  };
  for (const [key, text] of Object.entries(why))
    if (conversion.get([...limits, key]) !== undefined) conversion.leaveOut([...limits, key], text);
}

function convertOrigins(conversion: Conversion): void {
  const from: Path = ["security", "cors"];
  const origins = conversion.get([...from, "allowed_origins"]);
  for (const key of ["allowed_methods", "allowed_headers", "max_age", "allow_credentials"])
    if (conversion.get([...from, key]) !== undefined)
      conversion.leaveOut([...from, key], "what an allowed origin may ask is fixed");
  if (conversion.get([...from, "enabled"]) !== undefined)
    conversion.leaveOut([...from, "enabled"], "the origins that are named are let in, and no others");
  if (!Array.isArray(origins)) return;
  const named = origins.filter((origin) => origin !== "*");
  const isOff = conversion.get([...from, "enabled"]) === false;
  if (isOff) conversion.leaveOut([...from, "allowed_origins"], "it was switched off");
  else if (named.length > 0) conversion.set([...from, "allowed_origins"], ["server", "allowed_origins"], named);
  if (!isOff && named.length < origins.length)
    conversion.leaveOut([...from, "allowed_origins"], '"*": pages of any site are not let in; name the origins');
}

function convertTls(conversion: Conversion): void {
  const from: Path = ["security", "tls"];
  if (!isMap(conversion.get(from))) return;
  const names = { cert_file: "server_cert", key_file: "server_key", ca_file: "ca_cert" };
  for (const [key, to] of Object.entries(names)) {
    const value = conversion.get([...from, key]);
    if (value !== undefined) conversion.set([...from, key], ["mtls", to], value);
  }
  const verify = [...from, "verify_client"];
  conversion.set(verify, ["mtls", "require_client_cert"], conversion.get(verify) === true);
  conversion.set([...from, "cert_file"], ["mtls", "enabled"], true, "TLS 1.3");
}

/**
 * What a login is made of. The file `oauth/NAME.json` of the state directory, in the shape token endpoints answer with
 * (that of Google's `authorized_user` fits too), or NAME_CLIENT_ID, NAME_CLIENT_SECRET and NAME_REFRESH_TOKEN.
 */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { exists, readText, writeAtomic } from "../runtime/files.ts";
import { join } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import { Refusal } from "./refusal.ts";

const maxLoginBytes = 65_536;

export interface Login {
  readonly accessToken: string | undefined;
  /** Calendar time in milliseconds. */
  readonly expiresAtMs: number | undefined;
  readonly refreshToken: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly tokenEndpoint: string | undefined;
}

export function loginPath(stateDirectory: string, provider: string): string {
  return join(stateDirectory, "oauth", `${provider}.json`);
}

function variable(provider: string, what: string): string {
  return `${provider.toUpperCase().replaceAll("-", "_")}_${what}`;
}

/** Whether there is anything to log in with. */
export async function hasLogin(stateDirectory: string, provider: string, env: Environment): Promise<boolean> {
  if (env[variable(provider, "REFRESH_TOKEN")] || env[variable(provider, "CLIENT_SECRET")]) return true;
  return exists(loginPath(stateDirectory, provider));
}

/** How to make one, for a message. */
export function loginHint(stateDirectory: string, provider: string): string {
  const names = ["CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"].map((what) => variable(provider, what));
  return `Set ${names.join(", ")}, or put client_id, client_secret and refresh_token into "${loginPath(stateDirectory, provider)}"`;
}

export async function readLogin(stateDirectory: string, provider: string, env: Environment): Promise<Login> {
  const file = await readFile(loginPath(stateDirectory, provider));
  const text = (key: string) => {
    const value = file[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    accessToken: text("access_token"),
    expiresAtMs: timeOf(file["expires_at"] ?? file["expiry"]),
    refreshToken: text("refresh_token") ?? (env[variable(provider, "REFRESH_TOKEN")] || undefined),
    clientId: text("client_id") ?? (env[variable(provider, "CLIENT_ID")] || undefined),
    clientSecret: text("client_secret") ?? (env[variable(provider, "CLIENT_SECRET")] || undefined),
    tokenEndpoint: text("token_endpoint") ?? text("token_uri"),
  };
}

/** Keeps what the endpoint answered, over what the file said before. Nothing is written where there is no file. */
export async function saveLogin(stateDirectory: string, provider: string, tokens: JsonObject): Promise<void> {
  const path = loginPath(stateDirectory, provider);
  if (!(await exists(path))) return;
  const merged = { ...(await readFile(path)), ...tokens };
  await writeAtomic(path, `${JSON.stringify(merged, undefined, 2)}\n`, { mode: 0o600 });
}

async function readFile(path: string): Promise<JsonObject> {
  if (!(await exists(path))) return {};
  try {
    const value: unknown = JSON.parse(await readText(path, maxLoginBytes));
    if (isJsonObject(value)) return value;
  } catch {
    // The cause may quote the content.
  }
  throw new Refusal(`The login file "${path}" is not a JSON object`, "Log in again, or correct the file", {
    outcome: "unsent",
  });
}

/** Seconds or milliseconds since 1970, or a date as text. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === "string") {
    const time = /^\d+$/.test(value) ? timeOf(Number(value)) : Date.parse(value);
    return Number.isNaN(time) ? undefined : time;
  }
  if (typeof value !== "number") return undefined;
  return value < 100_000_000_000 ? value * 1_000 : value;
}

/** Logins to backends from the command line; a running gateway uses them from its next request on. */
import { loadConfig } from "../../config/load.ts";
import { replicasOf } from "../../config/replicas.ts";
import type { BackendConfig, Config } from "../../config/schema.ts";
import { ConfigError, GatewayError } from "../../core/errors.ts";
import { silentLogger } from "../../core/log.ts";
import { findAddressesOf, oauthOf } from "../../gateway/connect-backend.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { systemClock } from "../../lib/clock.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { openBrowser } from "../../runtime/open-browser.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { httpConnect } from "../../upstreams/http/connect-http.ts";
import type { OAuthSession } from "../../upstreams/oauth/oauth-session.ts";
import type { CommandInput } from "../command.ts";

/** Exit code 0 when the gateway may use the backend, 1 when not. */
export async function login(input: CommandInput): Promise<number> {
  for (const one of await openSessions(input)) {
    const code = await logInTo(one, input);
    if (code !== 0) return code;
  }
  return 0;
}

async function logInTo({ backend, session, config }: OpenSession, input: CommandInput): Promise<number> {
  const { name } = backend;
  if (await isWelcome(backend, session, config)) {
    await writeStdout(`Backend "${name}" takes the gateway as it is: there is nothing to log in to\n`);
    return 0;
  }
  try {
    const begun = await session.login();
    await writeStdout(`Log in to "${name}" in a browser:\n\n  ${begun.url}\n\n`);
    if (!input.flag("no-browser")) await openBrowser(new URL(begun.url));
    // Timers of the login do not keep the process alive.
    const alive = setInterval(() => {}, 60_000);
    await begun.done.finally(() => clearInterval(alive));
  } catch (error) {
    await writeStderr(`The login failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  await writeStdout(`Logged in to "${name}"\n`);
  return 0;
}

export async function logout(input: CommandInput): Promise<number> {
  for (const { backend, session } of await openSessions(input)) {
    await session.logOut();
    await writeStdout(`Forgot the login to "${backend.name}"; the server may keep it until it ends\n`);
  }
  return 0;
}

export async function status(input: CommandInput): Promise<number> {
  const config = await readConfig(input);
  let count = 0;
  for (const backend of Object.values(config.backends).flatMap(serversOf)) {
    const session = await sessionOf(backend, config, input);
    if (session === undefined) continue;
    count++;
    await writeStdout(`${backend.name}: ${await session.describe()}\n`);
  }
  if (count === 0) await writeStdout("No backend uses OAuth\n");
  return 0;
}

interface OpenSession {
  readonly backend: BackendConfig;
  readonly session: OAuthSession;
  readonly config: Config;
}

/** Itself, or its replicas; each has its own login. */
function serversOf(backend: BackendConfig): BackendConfig[] {
  const servers = backend.replicas === undefined ? [backend] : replicasOf(backend).map((replica) => replica.backend);
  return servers.filter(({ command }) => command === undefined);
}

/** At least one. */
async function openSessions(input: CommandInput): Promise<OpenSession[]> {
  const name = input.text("name") as string;
  const config = await readConfig(input);
  const { backends } = config;
  const backend = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (backend === undefined)
    throw new ConfigError(`Backend "${name}" is not in the configuration${suggestion(name, Object.keys(backends))}`);
  const servers = serversOf(backend);
  if (servers.length === 0)
    throw new ConfigError(`Backend "${name}" is no HTTP server: it takes its credentials from "env"`);
  const open: OpenSession[] = [];
  for (const server of servers) {
    const session = await sessionOf(server, config, input);
    if (session !== undefined) open.push({ backend: server, session, config });
  }
  if (open.length > 0) return open;
  throw new ConfigError(
    `Backend "${name}" has credentials of its own, or "oauth.enabled: false", or is not reached over HTTP`,
  );
}

async function readConfig({ global }: CommandInput): Promise<Config> {
  const { config: path, overrides } = global;
  return (await loadConfig({ path, overrides, env: environment(), cwd: workingDirectory() })).config;
}

function sessionOf(
  backend: BackendConfig,
  config: Config,
  { global }: CommandInput,
): Promise<OAuthSession | undefined> {
  const env = environment();
  const oauth = {
    directory: `${dataDirectory(global.dataDir, env)}/oauth`,
    key: env["MCP_GATEWAY_TOKEN_KEY"],
    onSecret() {},
    onAccess() {},
    onLoginRequired() {},
    onLoggedIn() {},
    onProblem(error: unknown) {
      throw error;
    },
  };
  return oauthOf(backend, { clock: systemClock, log: silentLogger, oauth, ...trustOf(config) });
}

function trustOf({ security }: Config) {
  return { trustsBackends: () => security.trust_configured_backends };
}

/** Whether the server lets us in, as we are or with what we have. @throws GatewayError when it cannot be reached */
async function isWelcome(backend: BackendConfig, access: OAuthSession, config: Config): Promise<boolean> {
  const { name, http_url: url, headers, max_result_size: maxResultBytes, protocol_version: offer } = backend;
  // The card of an agent is for everybody: only a message would tell.
  if (url === undefined) return false;
  const findAddresses = await findAddressesOf(backend, trustOf(config));
  const own = { name, url, headers, maxResultBytes, offer, access, findAddresses };
  const settings = { ...own, clock: systemClock, log: silentLogger };
  try {
    const connection = await httpConnect(settings)(new Cancellation(), { onNotification() {} });
    await connection.close();
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === "LOGIN_REQUIRED" && error.data?.["login_url"] !== undefined)
      return false;
    throw error;
  }
}

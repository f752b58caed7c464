/** What logins to HTTP servers have in common: where their tokens are kept, and which servers let the gateway in by one. */
import type { Environment } from "../runtime/process.ts";
import type { OAuthContext } from "./backend-upstream.ts";

export interface LoginsOptions {
  /** `undefined` keeps tokens in memory. */
  readonly stateDirectory: string | undefined;
  readonly env: Environment;
  learnSecret(value: string): void;
  /** @param loginId of the error that asked for the login */
  onLoggedIn(server: string, loginId: string): void;
  onProblem(error: unknown): void;
}

export interface Logins {
  readonly oauth: OAuthContext;
  /** Backends that let the gateway in by a login. */
  readonly loggedIn: ReadonlySet<string>;
  /** Those that wait for one; whoever sees that one is let in takes it out. */
  readonly waitingForLogin: Set<string>;
}

export function createLogins({ stateDirectory, env, learnSecret, onLoggedIn, onProblem }: LoginsOptions): Logins {
  const loggedIn = new Set<string>();
  const waitingForLogin = new Set<string>();
  const oauth: OAuthContext = {
    directory: stateDirectory === undefined ? undefined : `${stateDirectory}/oauth`,
    key: env["MCP_GATEWAY_TOKEN_KEY"],
    onSecret: learnSecret,
    onAccess: (server) => void loggedIn.add(server),
    onLoginRequired: (server) => void waitingForLogin.add(server),
    onLoggedIn(server, loginId) {
      waitingForLogin.delete(server);
      onLoggedIn(server, loginId);
    },
    onProblem,
  };
  return { oauth, loggedIn, waitingForLogin };
}

/** What backends are told of callers, and of the gateway itself (`backends.<name>.identity_propagation`). */
import type { BackendConfig, Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { IdentityBroker } from "../stages/identity/identity-stage.ts";
import type { openIdentities } from "./open-identities.ts";

/** In the state directory. */
export const identityKeysFile = "identity-keys.json";

export interface IdentitiesOptions {
  readonly config: () => Config;
  readonly clock: Pick<Clock, "now">;
  redact(text: string): string;
  /** File of the key that assertions are signed with; `undefined` keeps it in memory. */
  readonly keyPath: string | undefined;
  onProblem(error: unknown): void;
}

/** JSON Web Key Set. */
export interface PublicKeys {
  readonly keys: readonly object[];
}

export interface Identities {
  /** `undefined` for a backend that is told of nobody. */
  brokerOf(backend: BackendConfig): Promise<IdentityBroker> | undefined;
  /** `Authorization` of what the gateway asks for itself; `undefined` where the configuration has to have one. */
  ownAuthorization(backend: BackendConfig): (() => Promise<string>) | undefined;
  /** Public halves; empty where it says nothing. */
  publicKeys(): Promise<PublicKeys>;
}

export function signsAssertions({ identity_propagation: settings }: BackendConfig): boolean {
  return settings?.strategy === "signed_assertion";
}

export function createIdentities(options: IdentitiesOptions): Identities {
  let opening: Promise<ReturnType<typeof openIdentities>> | undefined;

  function open() {
    opening ??= import("./open-identities.ts").then((module) => module.openIdentities(options));
    return opening;
  }

  return {
    brokerOf: (backend) =>
      backend.identity_propagation === undefined ? undefined : open().then((all) => all.brokerOf(backend)),
    ownAuthorization: (backend) =>
      signsAssertions(backend) ? async () => (await open()).ownAuthorization(backend) : undefined,
    publicKeys: async () => (await open()).publicKeys(),
  };
}

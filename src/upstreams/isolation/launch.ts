/** A program before it is started, and what an isolating provider needs to know of it. */
import type { RuntimeProfile } from "./schema.ts";

export interface Program {
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  /** Variables it is meant to have. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

/** What is started in its place. */
export interface Launch {
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Program and arguments that end what lives on when the process that was started is killed. */
  readonly endArgv?: readonly string[] | undefined;
}

export type BubblewrapProfile = Pick<RuntimeProfile, "provider" | "executable" | "network_egress" | "mounts">;
export type ContainerProfile = Pick<
  RuntimeProfile,
  "provider" | "executable" | "image" | "network_egress" | "mounts" | "resources" | "privileged"
>;

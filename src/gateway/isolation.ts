/** What a backend's program runs in: the profile it names, and the variables of the gateway that come with it. */
import type { BackendConfig } from "../config/schema.ts";
import type { Environment } from "../runtime/process.ts";
import type { RuntimeProfile, RuntimeSettings } from "../upstreams/isolation/schema.ts";

export interface Isolation {
  readonly profile: RuntimeProfile;
  /** Of `env_keys` and `guarded_env_keys`, those that are set. */
  readonly env: Readonly<Record<string, string>>;
}

/** As the schema has it for a profile that says nothing. */
const plainProfile = {
  data_class: "internal",
  env_keys: [],
  guarded_env_keys: [],
  network_egress: "full",
  mounts: [],
  resources: { cpu_cores: undefined, memory_mb: undefined, timeout_secs: undefined },
  restart: { max_restarts: undefined, backoff_secs: undefined },
  executable: undefined,
  image: undefined,
  privileged: false,
} as const satisfies Omit<RuntimeProfile, "provider">;

/** `undefined` for what is no program, and for a program that nothing was said about. */
export function isolationOf(
  { command, runtime_profile: name }: Pick<BackendConfig, "command" | "runtime_profile">,
  runtime: RuntimeSettings | undefined,
  env: Environment,
): Isolation | undefined {
  if (command === undefined || runtime === undefined) return undefined;
  const named = name === undefined ? undefined : runtime.profiles[name];
  const provider = runtime.default_provider;
  if (named === undefined && provider === "local_process") return undefined;
  const profile: RuntimeProfile = named ?? {
    ...plainProfile,
    mounts: [],
    env_keys: [],
    guarded_env_keys: [],
    provider,
  };
  const keys = [...profile.env_keys, ...profile.guarded_env_keys];
  const set = keys.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]] as const]));
  return { profile, env: Object.fromEntries(set) };
}

/**
 * Rules about the `runtime` section, loaded for the files that have it: what a provider cannot hold a program to is
 * refused, because a limit that is only written down protects nobody.
 */
import type { Environment } from "../runtime/process.ts";
import type { RuntimeProfile, RuntimeSettings } from "../upstreams/isolation/schema.ts";
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import { listed } from "./problem.ts";
import { quoted } from "./rules.ts";
import type { ParsedConfig } from "./schema.ts";

type Provider = RuntimeProfile["provider"];
type Mount = RuntimeProfile["mounts"][number];

const containers: readonly Provider[] = ["docker", "podman"];
const isolating: readonly Provider[] = ["bubblewrap", ...containers];
const running: readonly Provider[] = ["local_process", ...isolating];

/** Whoever sees one of these has the machine, or keys of it. */
const forbiddenSource =
  /^\/(?:(?:etc|proc|sys|dev|run|var\/run|System)?|(?:var\/)?run\/(?:docker|podman\/podman)\.sock)\/?$/;

export function checkIsolation(
  config: ParsedConfig,
  runtime: RuntimeSettings,
  env: Environment,
  found: Findings,
): void {
  const { default_provider: fallback, availability, profiles } = runtime;
  const withoutProfile = Object.entries(config.backends).find(
    ([, { command, enabled, runtime_profile }]) => command !== undefined && enabled && runtime_profile === undefined,
  );
  // Where nothing depends on it, it may be anything.
  if (withoutProfile !== undefined) {
    const imageless = `cannot run "${withoutProfile[0]}", which has no profile to name an image: give it a "runtime_profile"`;
    const text = availabilityProblem(fallback, availability) ?? (containers.includes(fallback) ? imageless : undefined);
    if (text !== undefined) found.problems.push({ path: ["runtime", "default_provider"], text });
  }
  for (const [name, profile] of Object.entries(profiles)) {
    checkProfile(profile, ["runtime", "profiles", name], availability, found);
    for (const list of ["env_keys", "guarded_env_keys"] as const)
      for (const [at, variable] of profile[list].entries())
        if (env[variable] === undefined)
          found.warnings.push({
            path: ["runtime", "profiles", name, list, at],
            text: `names the environment variable "${variable}", which is not set: the program does not get it`,
          });
  }
}

function availabilityProblem(provider: Provider, availability: RuntimeSettings["availability"]): string | undefined {
  if (!running.includes(provider))
    return `cannot be "${provider}", which runs services and no stdio servers: use ${listed(running.map(quoted))}`;
  if (availability[provider]) return undefined;
  return `is "${provider}", which is not available: set "runtime.availability.${provider}" to true where it is installed`;
}

function checkProfile(
  profile: RuntimeProfile,
  path: Path,
  availability: RuntimeSettings["availability"],
  found: Findings,
): void {
  const { provider, data_class, network_egress: egress, resources } = profile;
  const refuse = (text: string, ...at: Path): void => {
    found.problems.push({ path: [...path, ...at], text });
  };
  const unavailable = availabilityProblem(provider, availability);
  if (unavailable !== undefined) {
    refuse(unavailable, "provider");
    return;
  }
  const onlyFor = (providers: readonly Provider[], isUsed: boolean, ...at: Path) => {
    if (isUsed && !providers.includes(provider))
      refuse(`works only with the provider ${listed(providers.map(quoted))}: "${provider}" cannot do it`, ...at);
  };
  const isContainer = containers.includes(provider);
  if (isContainer && profile.image === undefined) refuse(`needs "image" for the provider "${provider}"`);
  onlyFor(containers, profile.image !== undefined, "image");
  onlyFor(isolating, profile.executable !== undefined, "executable");
  onlyFor(containers, profile.privileged, "privileged");
  onlyFor(containers, resources.cpu_cores !== undefined, "resources", "cpu_cores");
  onlyFor(containers, resources.memory_mb !== undefined, "resources", "memory_mb");
  if (typeof egress === "object")
    refuse('cannot be a list, which no provider holds a program to: use "none" or "full"', "network_egress");
  else onlyFor(isolating, egress !== "full", "network_egress");
  onlyFor(isolating, profile.mounts.length > 0, "mounts");
  for (const [at, mount] of profile.mounts.entries()) {
    onlyFor(["podman"], mount.mode === "writable_overlay", "mounts", at, "mode");
    const problem = mountProblem(mount, isContainer);
    if (problem !== undefined) refuse(problem.text, "mounts", at, problem.key);
  }
  if (data_class === "public" && profile.guarded_env_keys.length > 0)
    refuse(
      'has secrets for a program that sees public data only: raise "data_class", or hand it none',
      "guarded_env_keys",
    );
  if ((data_class === "sensitive" || data_class === "high_privilege") && provider === "local_process")
    refuse(`needs a provider that isolates the program: ${listed(isolating.map(quoted))}`, "data_class");
  if (profile.privileged)
    found.warnings.push({ path: [...path, "privileged"], text: "gives the program the machine: nothing isolates it" });
}

function mountProblem({ source, target }: Mount, isContainer: boolean): { key: keyof Mount; text: string } | undefined {
  if (forbiddenSource.test(source.replace(/\/+/g, "/")))
    return { key: "source", text: "would hand over the machine itself: name a folder of its data" };
  // The clients of Docker and Podman take a mount apart at these.
  const key = (["source", "target"] as const).find((one) =>
    /[,":]/.test({ source, target }[one].replace(/^[A-Za-z]:/, "")),
  );
  return isContainer && key !== undefined
    ? { key, text: 'has a ",", ":" or quote, which a container cannot have there' }
    : undefined;
}

/** Sources of mounts are the only paths of the section that mean this machine. */
export async function withAbsolutePaths(
  runtime: RuntimeSettings,
  toAbsolute: (path: string) => Promise<string>,
): Promise<RuntimeSettings> {
  const profiles: Record<string, RuntimeProfile> = {};
  for (const [name, profile] of Object.entries(runtime.profiles)) {
    const mounts = profile.mounts.map(async (mount) => ({ ...mount, source: await toAbsolute(mount.source) }));
    profiles[name] = { ...profile, mounts: await Promise.all(mounts) };
  }
  return { ...runtime, profiles };
}

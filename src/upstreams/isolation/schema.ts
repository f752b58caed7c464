/** The `runtime` section: what stdio servers run in. `backends.<name>.runtime_profile` names one of its profiles. */
import * as v from "valibot";
import { maybe, nonNegativeInteger, positiveInteger, setting } from "../../core/kinds.ts";

/** The last three run services, which have no pipes to speak through: they are known so that they can be refused by name. */
const provider = v.picklist(["local_process", "bubblewrap", "docker", "podman", "systemd", "launchd", "kubernetes"]);

export const profileSchema = v.object({
  provider: setting(provider, "local_process", "What runs the program: `bubblewrap`, `docker` and `podman` isolate it"),
  executable: maybe(v.string(), "The provider's own program; by default found in PATH"),
  image: maybe(v.pipe(v.string(), v.minLength(1)), "Container image; needed for `docker` and `podman`"),
  data_class: setting(
    v.picklist(["public", "internal", "sensitive", "high_privilege"]),
    "internal",
    "What the program may see: with `public` it gets no `guarded_env_keys`; the last two must be isolated",
  ),
  env_keys: setting(
    v.array(v.string()),
    [],
    "Variables of the gateway handed to the program, besides `env` of the backend",
  ),
  guarded_env_keys: setting(v.array(v.string()), [], "The same for variables whose values are secrets"),
  network_egress: setting(
    v.union([v.picklist(["none", "loopback", "full"]), v.object({ allowlist: v.array(v.string()) })]),
    "full",
    "Where the program may connect to: with `none` and `loopback` to nothing but itself. No provider holds it to an `allowlist`, so that is refused",
  ),
  mounts: setting(
    v.array(
      v.object({
        source: v.pipe(v.string(), v.minLength(1), v.description("File or folder of this machine")),
        target: v.pipe(v.string(), v.startsWith("/"), v.description("Where the program sees it")),
        mode: setting(
          v.picklist(["read_only", "writable", "writable_overlay"]),
          "read_only",
          "Whether it may write; with `writable_overlay` (`podman` only) what it writes is forgotten",
        ),
      }),
    ),
    [],
    "What an isolated program sees of this machine; under `bubblewrap` besides system programs and libraries",
  ),
  resources: setting(
    v.object({
      cpu_cores: maybe(v.pipe(v.number(), v.gtValue(0)), "Processor cores; `docker` and `podman`"),
      memory_mb: maybe(positiveInteger, "Memory in megabytes; `docker` and `podman`"),
      timeout_secs: maybe(positiveInteger, "Seconds after which the program is ended; the next call starts it again"),
    }),
    {},
    "Most it may use",
  ),
  restart: setting(
    v.object({
      max_restarts: maybe(nonNegativeInteger, "Failures in a row after which only an operator starts it again"),
      backoff_secs: maybe(nonNegativeInteger, "Seconds until it is started again, in place of a growing time"),
    }),
    {},
    "What happens when it fails",
  ),
  privileged: setting(v.boolean(), false, "Give the container every right of the machine, which isolates nothing"),
});
export type RuntimeProfile = v.InferOutput<typeof profileSchema>;

export const runtimeSchema = v.object({
  default_provider: setting(provider, "local_process", "What runs programs without a profile"),
  availability: setting(
    v.object({
      local_process: setting(v.boolean(), true, "Plain processes"),
      bubblewrap: setting(v.boolean(), false, "bubblewrap (`bwrap`), on Linux"),
      docker: setting(v.boolean(), false, "Docker"),
      podman: setting(v.boolean(), false, "Podman"),
      systemd: setting(v.boolean(), false, "Without effect: cannot run stdio servers"),
      launchd: setting(v.boolean(), false, "Without effect: cannot run stdio servers"),
      kubernetes: setting(v.boolean(), false, "Without effect: cannot run stdio servers"),
    }),
    {},
    "Providers that may be used",
  ),
  profiles: setting(v.record(v.string(), profileSchema), {}, "Profiles by name"),
});
export type RuntimeSettings = v.InferOutput<typeof runtimeSchema>;

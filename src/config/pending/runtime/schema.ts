import * as v from "valibot";
import { maybe, nonNegativeInteger, positiveInteger, setting } from "../../../core/kinds.ts";

const provider = v.picklist(["local_process", "docker", "podman", "systemd", "launchd", "kubernetes"]);

const profileSchema = v.object({
  provider: setting(provider, "local_process", "What runs the program"),
  executable: maybe(v.string(), "Path of the provider's own program"),
  image: maybe(v.string(), "Container image"),
  data_class: setting(
    v.picklist(["public", "internal", "sensitive", "high_privilege"]),
    "internal",
    "Sensitivity of the data the program sees",
  ),
  env_keys: setting(v.array(v.string()), [], "Variables handed to the program"),
  guarded_env_keys: setting(v.array(v.string()), [], "Variables handed to it that hold secrets"),
  network_egress: setting(
    v.union([v.picklist(["none", "loopback", "full"]), v.object({ allowlist: v.array(v.string()) })]),
    "full",
    "Where the program may connect to",
  ),
  mounts: setting(
    v.array(
      v.object({
        source: v.string(),
        target: v.pipe(v.string(), v.startsWith("/")),
        mode: setting(v.picklist(["read_only", "writable_overlay"]), "read_only", "Whether it may write"),
      }),
    ),
    [],
    "Folders the program sees",
  ),
  resources: setting(
    v.object({
      cpu_cores: maybe(v.pipe(v.number(), v.gtValue(0)), "Processor cores"),
      memory_mb: maybe(positiveInteger, "Memory in megabytes"),
      timeout_secs: maybe(positiveInteger, "Life of the program in seconds"),
    }),
    {},
    "Most it may use",
  ),
  restart: setting(
    v.object({
      max_restarts: maybe(nonNegativeInteger, "Restarts before it stays stopped"),
      backoff_secs: maybe(nonNegativeInteger, "Seconds before a restart"),
    }),
    {},
    "What happens when it ends",
  ),
  privileged: setting(v.boolean(), false, "Run the container with all privileges"),
});

export const runtimeSchema = v.object({
  default_provider: setting(provider, "local_process", "What runs programs without a profile"),
  availability: setting(
    v.object({
      local_process: setting(v.boolean(), true, "Plain processes"),
      docker: setting(v.boolean(), false, "Docker"),
      podman: setting(v.boolean(), false, "Podman"),
      systemd: setting(v.boolean(), false, "systemd"),
      launchd: setting(v.boolean(), false, "launchd"),
      kubernetes: setting(v.boolean(), false, "Kubernetes"),
    }),
    {},
    "Providers that may be used",
  ),
  profiles: setting(v.record(v.string(), profileSchema), {}, "Isolation profiles by name"),
});

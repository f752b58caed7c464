/** A program in a container, by the client of Docker or Podman, which speak alike. */
import type { ContainerProfile, Program } from "./launch.ts";
import { providerProgram } from "./provider-program.ts";

/** More processes than a server has, fewer than fill a machine. */
const maxProcesses = 512;

/**
 * @param name of the container: no other may have it
 * @param program its variables must be in the environment of the client too; values are never among the arguments, which
 *   every user of the machine can read
 */
export function containerCommand(profile: ContainerProfile, name: string, { argv, env, cwd }: Program): string[] {
  const { image, network_egress: egress, mounts, resources, privileged } = profile;
  const { cpu_cores: cores, memory_mb: megabytes } = resources;
  return [
    providerProgram(profile) as string,
    // The root stays writable: it is the container's own, and gone with it.
    ...["run", "--interactive", "--rm", "--init", "--name", name],
    // What passes through stdout is a conversation, not a log, and would be written to the disk.
    ...["--log-driver", "none"],
    ...["--network", egress === "full" ? "bridge" : "none"],
    ...(cores === undefined ? [] : ["--cpus", String(cores)]),
    // Both, or as much again may be swapped.
    ...(megabytes === undefined ? [] : ["--memory", `${megabytes}m`, "--memory-swap", `${megabytes}m`]),
    ...["--pids-limit", String(maxProcesses)],
    ...(privileged ? ["--privileged"] : ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]),
    ...mounts.flatMap(mountArguments),
    ...Object.keys(env).flatMap((variable) => ["--env", variable]),
    ...(cwd === undefined ? [] : ["--workdir", cwd]),
    image as string,
    ...argv,
  ];
}

/** Ends the container and removes it, whether or not it runs; fails when it is gone. */
export function containerEnd(profile: ContainerProfile, name: string): string[] {
  // Podman asks nicely first, for ten seconds.
  const atOnce = profile.provider === "podman" ? ["--time", "0"] : [];
  return [providerProgram(profile) as string, "rm", "--force", ...atOnce, name];
}

function mountArguments({ source, target, mode }: ContainerProfile["mounts"][number]): string[] {
  if (mode === "writable_overlay") return ["--volume", `${source}:${target}:O`];
  return ["--mount", `type=bind,source=${source},target=${target}${mode === "read_only" ? ",readonly" : ""}`];
}

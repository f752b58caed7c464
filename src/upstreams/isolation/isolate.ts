/** From a program and its profile to what is started. */
import { childEnvironment } from "../../runtime/child-environment.ts";
import { environmentVariable } from "../../runtime/process.ts";
import { randomBytes } from "../../runtime/random.ts";
import { bubblewrapCommand } from "./bubblewrap-command.ts";
import { containerCommand, containerEnd } from "./container-command.ts";
import type { Launch, Program } from "./launch.ts";
import type { RuntimeProfile } from "./schema.ts";

/** How the clients of Docker and Podman find the other side. */
const clientVariables = [
  ...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"],
  ...["CONTAINER_HOST", "CONTAINER_CONNECTION", "CONTAINERS_CONF", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"],
];

/** @param server names the container, together with a part that is new at every start */
export function isolate(profile: RuntimeProfile, server: string, program: Program): Launch {
  const { argv, env, cwd } = program;
  switch (profile.provider) {
    case "bubblewrap":
      return { argv: bubblewrapCommand(profile, program), env: childEnvironment(env), cwd: undefined };
    case "docker":
    case "podman": {
      const name = containerName(server);
      return {
        argv: containerCommand(profile, name, program),
        env: childEnvironment({ ...clientEnvironment(), ...env }),
        cwd: undefined,
        endArgv: containerEnd(profile, name),
      };
    }
    default:
      return { argv, env: childEnvironment(env), cwd };
  }
}

function containerName(server: string): string {
  const unique = Array.from(randomBytes(6), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `mcp-gateway-${server.replace(/[^A-Za-z0-9_.-]/g, "-").slice(0, 40)}-${unique}`;
}

function clientEnvironment(): Record<string, string> {
  return Object.fromEntries(
    clientVariables.flatMap((name) => {
      const value = environmentVariable(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

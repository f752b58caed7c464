/** What happens to the entries of `backends` between the file and the schema, and between the schema and the program. */
import { expandHome } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import { splitCommand } from "./command-line.ts";
import { expandVariables } from "./expand.ts";
import { isMap, type Path, type Settings } from "./path.ts";
import type { Problem } from "./problem.ts";
import type { BackendConfig, ParsedBackend } from "./schema.ts";

export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Older names replaced, commands split, variables expanded; what is no map is left for the schema to refuse. */
export function prepareBackends(backends: unknown, env: Environment, found: Findings): unknown {
  if (!isMap(backends)) return backends;
  const entries = Object.entries(backends).map(([name, entry]) => {
    const path: Path = ["backends", name];
    return [name, isMap(entry) ? prepareBackend(entry, path, env, found) : entry];
  });
  return Object.fromEntries(entries);
}

function prepareBackend({ replicas, ...entry }: Settings, path: Path, env: Environment, found: Findings): Settings {
  const prepared = prepareServer(entry, path, env, found);
  if (replicas === undefined) return prepared;
  const each = (replica: unknown, at: number) =>
    isMap(replica) ? prepareServer(replica, [...path, "replicas", at], env, found) : replica;
  // Where there are replicas, how they are used has defaults.
  return { load_balancing: {}, ...prepared, replicas: Array.isArray(replicas) ? replicas.map(each) : replicas };
}

function prepareServer(entry: Settings, path: Path, env: Environment, found: Findings): Settings {
  const prepared: Record<string, unknown> = { ...entry };
  if (prepared["url"] !== undefined) {
    found.warnings.push({ path: [...path, "url"], text: 'is read as "http_url": please rename it' });
    prepared["http_url"] ??= prepared["url"];
    delete prepared["url"];
  }
  if (prepared["idle_timeout"] !== undefined) {
    if (prepared["command"] !== undefined) prepared["stop_when_idle_for"] ??= prepared["idle_timeout"];
    else found.warnings.push({ path: [...path, "idle_timeout"], text: 'does nothing without "command"' });
    delete prepared["idle_timeout"];
  }
  const { command } = prepared;
  if (typeof command === "string") {
    const split = splitCommand(command);
    // The words come before the variables, so that no value can become two arguments.
    prepared["command"] = "words" in split && split.words.length > 0 ? split.words : [command];
    if ("unclosedAt" in split) {
      const quote = command[split.unclosedAt];
      found.problems.push({
        path: [...path, "command"],
        text: `has a quote (${quote}) at character ${split.unclosedAt + 1} that is never closed`,
      });
    } else if (split.words.length === 0)
      found.problems.push({ path: [...path, "command"], text: "must name a program" });
  }
  // A command was one line in the file, whatever it is now.
  const shown = (at: Path) => at.slice(0, at[path.length] === "command" ? path.length + 1 : undefined);
  const onUnset = (variable: string, at: Path) => {
    if (at[path.length] !== "secrets" || prepared["enabled"] === false) warnOfUnset(found)(variable, shown(at));
    else found.problems.push({ path: at, text: `refers to the environment variable "${variable}", which is not set` });
  };
  return expandVariables(prepared, env, onUnset, path) as Settings;
}

export function warnOfUnset(found: Findings): (variable: string, path: Path) => void {
  return (variable, path) =>
    found.warnings.push({ path, text: `uses \${${variable}}, which is not set: it counts as empty` });
}

/** The entry as the program sees it. */
export function finishBackend(name: string, parsed: ParsedBackend, env: Environment): BackendConfig {
  const { command, args, url: _url, replicas, ...rest } = parsed;
  return {
    ...rest,
    ...(replicas && {
      replicas: replicas.map(({ command: own, args: ownArgs, url: _other, ...replica }) => ({
        ...replica,
        command: argvOf(own, ownArgs, env),
      })),
    }),
    name,
    args: undefined,
    command: argvOf(command, args, env),
  };
}

function argvOf(
  command: ParsedBackend["command"],
  args: readonly string[] = [],
  env: Environment,
): string[] | undefined {
  const [program, ...more] = typeof command === "string" ? [command] : (command ?? []);
  return program === undefined ? undefined : [expandHome(program, env), ...more, ...args];
}

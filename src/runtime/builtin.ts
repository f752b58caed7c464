/**
 * Modules of the runtime loaded when first used. An import of `node:fs`, `node:crypto`, `node:net` or
 * `node:child_process` costs a third of an empty program's start each, and most starts need none of them before the port
 * is open.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name) as Builtins[Name];
}

interface Builtins {
  "node:crypto": typeof import("node:crypto");
  "node:fs": typeof import("node:fs");
  "node:net": typeof import("node:net");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:tls": typeof import("node:tls");
  "node:timers": typeof import("node:timers");
}

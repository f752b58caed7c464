/**
 * Modules of the runtime loaded when first used. An import of `node:crypto`, `node:net` or `node:child_process` costs
 * half an empty program's start each, and most starts need none of them before the port is open.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name) as Builtins[Name];
}

interface Builtins {
  "node:crypto": typeof import("node:crypto");
  "node:net": typeof import("node:net");
}

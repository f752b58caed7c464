/** The rules of the house, each a function from a source tree to the sentences about what breaks it. */
import { dependencies } from "../../deploy/dependencies.ts";
import {
  codeOnly,
  type Import,
  importsOf,
  isSchema,
  packageOf,
  roomOf,
  type SourceTree,
  withoutComments,
} from "./source-tree.ts";

/** Bottom first. A room imports from the floors below it, never from its own floor or above. */
const floors = [
  ["lib"],
  ["core"],
  ["mcp"],
  ["stages", "upstreams", "capabilities", "catalog", "observe", "sandbox", "skills"],
  ["meta"],
  ["clients"],
  ["config"],
  ["gateway"],
  ["doors"],
  ["setup"],
  ["commands", "embed"],
  ["main"],
];
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));

/** Rooms that touch neither disk nor network nor processes. */
const roomsWithoutIo = ["lib", "core", "mcp", "stages", "meta"];
const belowRuntime = ["lib", "core"];

export function arrowsPointDown(tree: SourceTree): string[] {
  return problemsOfImports(tree, (path, { specifier, file }) => {
    if (file === undefined) return undefined;
    if (!tree.has(file)) return `imports "${specifier}", which does not exist below src/`;
    const [from, to] = [roomOf(path), roomOf(file)];
    if (isSchema(path)) {
      if (isSchema(file) || file === "core/kinds.ts") return undefined;
      return `is a schema and imports ${file}: schemas import only core/kinds.ts and other schemas`;
    }
    if (from === to || isSchema(file)) return undefined;
    if (to === "runtime")
      return roomsWithoutIo.includes(from) ? `does I/O in ${from}/ by importing ${file}` : undefined;
    if (from === "runtime")
      return belowRuntime.includes(to) ? undefined : `imports ${file}: runtime/ knows only lib/ and core/`;
    const [fromFloor, toFloor] = [floorOf.get(from), floorOf.get(to)];
    if (fromFloor === undefined || toFloor === undefined)
      return `imports ${file}: ${fromFloor === undefined ? from : to}/ is no room`;
    return toFloor < fromFloor ? undefined : `imports ${file}: ${to}/ is not below ${from}/`;
  });
}

/** A policy that knows another policy cannot be deleted alone. */
export function stagesAreIndependent(tree: SourceTree): string[] {
  const featureOf = (path: string) => /^stages\/([^/]+)\//.exec(path)?.[1];
  return problemsOfImports(tree, (path, { file }) => {
    const [from, to] = [featureOf(path), file === undefined ? undefined : featureOf(file)];
    if (from === undefined || to === undefined || from === to || isSchema(file!)) return undefined;
    return `imports ${file}: stages/${from} must not know stages/${to}`;
  });
}

export function packagesStayHome(tree: SourceTree): string[] {
  return problemsOfImports(tree, (path, { specifier, file, kind }) => {
    if (file !== undefined || specifier.startsWith("node:")) return undefined;
    const name = packageOf(specifier);
    const dependency = dependencies[name];
    if (!dependency?.homes) return `imports "${name}", which deploy/dependencies.ts gives no home`;
    if (isSchema(path)) return name === "valibot" ? undefined : `is a schema and imports "${name}"`;
    const isHome = dependency.homes.some((home) => path === home || roomOf(path) === home);
    if (!isHome) return `imports "${name}", whose home is ${dependency.homes.join(" and ")}`;
    return dependency.typesOrLazy && kind === "static"
      ? `loads "${name}": only its types or a lazy import()`
      : undefined;
  });
}

export function runtimeStaysInRuntime(tree: SourceTree): string[] {
  const problems = problemsOfImports(tree, (path, { specifier }) =>
    roomOf(path) !== "runtime" && /^(node|bun|deno):|^bun$/.test(specifier)
      ? `imports "${specifier}" outside runtime/`
      : undefined,
  );
  for (const [path, text] of tree) {
    const use =
      roomOf(path) === "runtime"
        ? null
        : /(?<![\w."])(Bun|Deno)\s*(\.|\?\.|\[)|globalThis\.(Bun|Deno)\b/.exec(codeOnly(text));
    if (use) problems.push(`${path} says "${use[0]}" outside runtime/`);
  }
  return problems;
}

/** Follows what is loaded with the program, whatever command is run. */
export function startUpStaysLight(tree: SourceTree): string[] {
  return loadedFrom(tree, ["main.ts"]).flatMap(({ way, name }) =>
    name === "zod" || dependencies[name]?.lazy ? [`${way} loads "${name}" at start-up`] : [],
  );
}

/** What the executable carries as data: its imports are the build's business. */
const embedded = ["config/config-outline.ts", "runtime/embedded-bundle.ts"];
const servingMayLoad = ["hono", "fastest-levenshtein"];
/** What no start needs, each with all that it needs itself: the first answer would come a tenth of a start later. */
const loadedLater = [
  "clients/methods.ts",
  "config/explain.ts",
  "lib/yaml-document.ts",
  "meta/index.ts",
  "observe/observatory.ts",
  "stages/order.ts",
  "upstreams/group/replica-group.ts",
];

/** Follows what `serve` loads before its port is open; a module of the runtime costs up to a third of an empty program. */
export function servingStaysLight(tree: SourceTree): string[] {
  const entries = ["main.ts", "commands/run/serve.ts", "doors/http/listen.ts"];
  return loadedFrom(tree, entries, embedded, loadedLater).flatMap(({ way, name }) =>
    servingMayLoad.includes(name)
      ? []
      : [`${way} loads "${name}" before the port is open: use import() or runtime/builtin.ts`],
  );
}

/** What would be somebody else's business in a program that embeds the gateway: its streams, its signals, its end. */
const ofTheProgram = /\b(exit|setExitCode|onSignal|writeStdout|writeStderr|printError|programArguments)\b/;

/** Follows everything the library can come to, what is loaded later included. */
export function embeddingIsQuiet(tree: SourceTree): string[] {
  const entry = "embed/create-gateway.ts";
  const problems = importsOf(entry, tree.get(entry) ?? "")
    .filter(({ kind }) => kind !== "lazy")
    .map(({ specifier }) => `${entry} imports "${specifier}": it is the declaration of the library too`);
  const reached = new Set([entry]);
  for (const path of reached) {
    const text = tree.get(path) ?? "";
    for (const [, names] of withoutComments(text).matchAll(/^import \{([^}]*)\} from "[./]*runtime\/process\.ts"/gm)) {
      const use = ofTheProgram.exec(names!);
      if (use) problems.push(`${path} uses ${use[0]}(), and can be loaded by an embedded gateway`);
    }
    for (const { file, kind } of importsOf(path, text)) {
      if (file === undefined || kind === "type") continue;
      if (roomOf(file) === "commands") problems.push(`${path} loads ${file}, and can be loaded by an embedded gateway`);
      reached.add(file);
    }
  }
  return problems;
}

/** Packages, `node:` modules and files of `watched` that the entries import statically, however far away, and how they get there. */
function loadedFrom(
  tree: SourceTree,
  entries: readonly string[],
  leaves: readonly string[] = [],
  watched: readonly string[] = [],
): { way: string; name: string }[] {
  const loaded: { way: string; name: string }[] = [];
  const cameFrom = new Map<string, string | undefined>(entries.map((entry) => [entry, undefined]));
  const way = (path: string): string => {
    const before = cameFrom.get(path);
    return before === undefined ? path : `${way(before)} → ${path}`;
  };
  for (const path of cameFrom.keys()) {
    if (leaves.includes(path)) continue;
    for (const { specifier, file, kind } of importsOf(path, tree.get(path) ?? "")) {
      if (kind !== "static") continue;
      if (file === undefined) loaded.push({ way: way(path), name: packageOf(specifier) });
      else if (!cameFrom.has(file)) {
        cameFrom.set(file, path);
        if (watched.includes(file)) loaded.push({ way: way(path), name: file });
      }
    }
  }
  return loaded;
}

const forbiddenNames = new Set(["utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "types"]);

export function filesAreNamedWell(tree: SourceTree): string[] {
  const problems: string[] = [];
  for (const path of tree.keys()) {
    const parts = path.replace(/\.ts$/, "").split("/");
    if (!parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))) problems.push(`${path} is not in kebab-case`);
    const vague = parts.flatMap((part) => part.split("-")).find((word) => forbiddenNames.has(word));
    if (vague) problems.push(`${path} is called "${vague}": name it after what it does`);
  }
  return problems;
}

const maxLines = 400;

export function filesAreShort(tree: SourceTree): string[] {
  const problems: string[] = [];
  for (const [path, text] of tree) {
    const lines = text.split("\n").length - 1;
    if (lines > maxLines) problems.push(`${path} has ${lines} lines, more than ${maxLines}`);
  }
  return problems;
}

/** `runtime/` may hand on what the platform offers; that is its purpose. */
export function noBarrels(tree: SourceTree): string[] {
  return [...tree]
    .filter(([, text]) => /^export\s[^"';]*?\bfrom\s*"\./m.test(withoutComments(text)))
    .map(([path]) => `${path} re-exports: import from the file that defines it`);
}

/** There is no way round the stages: one file calls upstreams. Below it, transports call connections. */
export function upstreamsAreCalledOnce(tree: SourceTree): string[] {
  const below = ["mcp", "upstreams", "capabilities", "runtime"];
  const callers = [...tree].filter(
    ([path, text]) => !below.includes(roomOf(path)) && /\.request\(/.test(codeOnly(text)),
  );
  const paths = callers.map(([path]) => path);
  if (paths.length === 1 && roomOf(paths[0]!) === "gateway") return [];
  return [
    `".request(" belongs in exactly one file, below gateway/, and is in ${paths.length === 0 ? "none" : paths.join(", ")}`,
  ];
}

/** `map` is the text of `src/README.md`: a table row per room, its name in the first cell. */
export function mapIsTrue(tree: SourceTree, map: string): string[] {
  const described = [...map.matchAll(/^\| `([a-z-]+)(?:\/|\.ts)` \|/gm)].map((match) => match[1]!);
  const existing = new Set([...tree.keys()].map(roomOf));
  const problems: string[] = [];
  for (const room of existing) {
    const times = described.filter((name) => name === room).length;
    if (times !== 1) problems.push(`src/README.md describes ${room} ${times} times`);
  }
  for (const room of described)
    if (!existing.has(room)) problems.push(`src/README.md describes ${room}, which does not exist`);
  for (const [, path] of map.matchAll(/`([a-z-]+\/[a-z/-]*\.ts)`/g))
    if (!tree.has(path!)) problems.push(`src/README.md names ${path}, which does not exist`);
  return problems;
}

function problemsOfImports(tree: SourceTree, problemOf: (path: string, found: Import) => string | undefined): string[] {
  const problems: string[] = [];
  for (const [path, text] of tree) {
    for (const found of importsOf(path, text)) {
      const problem = problemOf(path, found);
      if (problem !== undefined) problems.push(`${path} ${problem}`);
    }
  }
  return problems;
}

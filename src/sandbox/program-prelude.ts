/** What a program finds when it starts, in its own language. It can spoil that for itself, and for nobody else. */
export const prelude = `(() => {
  "use strict";
  const [call, log] = [globalThis.__call, globalThis.__log];
  delete globalThis.__call;
  delete globalThis.__log;
  const { parse, stringify } = JSON;
  const run = (server, tool, args) =>
    call(server, tool, stringify(args === undefined ? {} : args)).then((text) => parse(text));
  const isName = (name) => typeof name === "string" && name !== "then" && name !== "toJSON";
  const toolsOf = (server) =>
    new Proxy({}, { get: (_, tool) => (isName(tool) ? (args) => run(server, tool, args) : undefined) });
  globalThis.tools = new Proxy({}, { get: (_, server) => (isName(server) ? toolsOf(server) : undefined) });
  globalThis.callTool = (name, args) => run("", String(name), args);
  const show = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value);
    try { return stringify(value) ?? String(value); } catch { return String(value); }
  };
  const write = (...values) => log(values.map(show).join(" "));
  globalThis.console = { log: write, info: write, warn: write, error: write, debug: write };
  globalThis.__run = (main) => main().then((value) => stringify(value));
})();`;

/** On the program's first line, so that line numbers are its own. */
export function wrapped(source: string): string {
  return `__run(async () => {${source}\n})`;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command, OptionDefs } from "../../src/commands/command.ts";
import { globalArgs, globalOptions } from "../../src/commands/global-options.ts";
import { parseLine } from "../../src/commands/parse.ts";
import { root } from "../../src/commands/root.ts";
import { stats } from "../../src/commands/stats.ts";
import { version } from "../../src/core/version.ts";
import { house } from "./run-main.ts";

const parse = (line: string) => parseLine(line.split(" ").filter(Boolean), root, globalArgs);

test("parseLine: without a command it is the root, which serves", () => {
  const { command, path, options } = parse("--stdio -p 1 --host=::1");
  assert.equal(command, root);
  assert.deepEqual(path, []);
  assert.deepEqual(
    [...options],
    [
      ["stdio", ["true"]],
      ["port", ["1"]],
      ["host", ["::1"]],
    ],
  );
});

test("parseLine: options of every command work before and behind its name", () => {
  for (const line of [
    "-c x.yaml --log-level debug list --json",
    "-c x.yaml --log-level DEBUG list --json",
    "list --json --log-level=debug --config x.yaml",
  ]) {
    const { path, options } = parse(line);
    assert.deepEqual(path, ["list"]);
    assert.deepEqual(
      [options.get("config"), options.get("log-level"), options.get("json")],
      [["x.yaml"], ["debug"], ["true"]],
    );
  }
});

test("parseLine: repeated options, words behind --, negated and spelt-out flags", () => {
  const added = parse("add x -e A=1 --env B=2 -d text -- npx -y --help");
  assert.deepEqual(added.words, ["x"]);
  assert.deepEqual(added.options.get("env"), ["A=1", "B=2"]);
  assert.deepEqual(added.rest, ["npx", "-y", "--help"]);
  for (const line of ["init --with-examples=false", "init --with-examples false", "init --no-with-examples"])
    assert.deepEqual(parse(line).options.get("with-examples"), ["false"], line);
  assert.deepEqual(parse("config schema").path, ["config", "schema"]);
  assert.deepEqual(parse("add - -1").words, ["-", "-1"]);
});

const refused: readonly [line: string, message: RegExp][] = [
  ["serv", /Unknown command "serv"/],
  ["list --jsn", /Unknown option "--jsn"/],
  ["list -x", /Unknown option "-x"/],
  ["--prot 3", /Unknown option "--prot"/],
  ["--port 3 bogus", /Unknown command "bogus"/],
  ["--no-such list", /Unknown option "--no-such"/],
  ["list --config", /--config needs a value/],
  ["init --profile big", /--profile must be one of local, minimal, not "big"/],
];

for (const [line, message] of refused)
  test(`parseLine: refuses "${line}"`, () => {
    assert.throws(() => parse(line), message);
  });

test("globalOptions: an option wins over its variable, and a wrong value names where it came from", () => {
  const read = (given: Record<string, string>, variables: Record<string, string>) =>
    globalOptions(
      (name) => given[name],
      (name) => given[name] === "true",
      (name) => variables[name],
    );
  const { overrides, logLevel, logFormat } = read(
    { port: "1", "no-meta-mcp": "true" },
    { MCP_GATEWAY_PORT: "2", MCP_GATEWAY_HOST: "h", MCP_GATEWAY_LOG_LEVEL: "DEBUG", MCP_GATEWAY_LOG_FORMAT: "json" },
  );
  assert.deepEqual(overrides, [
    { path: ["server", "host"], value: "h", from: "MCP_GATEWAY_HOST" },
    { path: ["server", "port"], value: 1, from: "--port" },
    { path: ["meta_mcp", "enabled"], value: false, from: "--no-meta-mcp" },
  ]);
  assert.deepEqual([logLevel, logFormat], ["debug", "json"]);
  assert.throws(() => read({}, { MCP_GATEWAY_PORT: "x" }), /MCP_GATEWAY_PORT must be a whole number/);
  assert.throws(() => read({}, { MCP_GATEWAY_LOG_LEVEL: "loud" }), /MCP_GATEWAY_LOG_LEVEL must be one of/);
});

test("commands: no option of a command hides one that every command takes", () => {
  const walk = (command: Command): OptionDefs[] => [
    command.args ?? {},
    ...Object.values(command.subCommands ?? {}).flatMap(walk),
  ];
  const aliases = Object.values(globalArgs).flatMap((def) => ("alias" in def ? [def.alias] : []));
  for (const args of walk(root))
    for (const [name, def] of Object.entries(args)) {
      assert.ok(!(name in globalArgs), name);
      // `stats -p` is the price in the product this one replaces, `cap import -p` the prefix.
      if ((args === stats.args && name === "price") || name === "prefix") continue;
      assert.ok(!("alias" in def) || !aliases.includes(def.alias), `-${(def as { alias?: string }).alias}`);
    }
});

test("mcp-gateway: --version, --help, and what it says about a line it does not understand", async (t) => {
  const { run } = house(t);
  const [short, wordy, help, addHelp, unknown, option, missing] = await Promise.all([
    run("-V"),
    run("list", "--version"),
    run("--help"),
    run("help", "add"),
    run("lst"),
    run("list", "--jsn"),
    run("add"),
  ]);
  assert.deepEqual(short, { code: 0, out: `${version}\n`, err: "" });
  assert.equal(wordy.out, `${version}\n`);
  for (const word of ["serve", "init", "--config", "--no-meta-mcp", "--data-dir", "MCP_GATEWAY_PORT"])
    assert.ok(help.out.includes(word), word);
  assert.ok(!help.out.includes("\u001b"));
  assert.match(addHelp.out, /USAGE mcp-gateway add \[OPTIONS\] <NAME>[\s\S]*--env=<KEY=VALUE>/);
  assert.deepEqual(unknown, {
    code: 2,
    out: "",
    err: 'Unknown command "lst": did you mean "list"?\nSee "mcp-gateway --help"\n',
  });
  assert.deepEqual(
    [option.code, option.err],
    [2, 'Unknown option "--jsn": did you mean "--json"?\nSee "mcp-gateway list --help"\n'],
  );
  assert.deepEqual([missing.code, missing.err], [2, 'NAME is missing\nSee "mcp-gateway add --help"\n']);
});

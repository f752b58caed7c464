import assert from "node:assert/strict";
import { test } from "node:test";
import { addBackend, addEnvFile, removeBackend } from "../../src/config/edit.ts";

const entry = { command: "npx -y 'a b'", description: "x: y # z", env: { TOKEN: "true" } };

const house = `# The house
server:
  port:   39400     # spaced out
  request_timeout: 1h30m

# my backends
backends:

    # the first one
    alpha:
        command: run   # why
        env: { A: "1", B: '2' }
        # timeout: 5s
    # about beta
    beta:
        http_url: http://localhost/mcp
        description: |
            two

            lines

    # the end of the backends
# before auth
auth: {enabled: false}
`;

const files: readonly [name: string, text: string][] = [
  ["a file full of comments", house],
  ["line ends of Windows", house.replaceAll("\n", "\r\n")],
  ["no line end at the end", "backends:\n  a:\n    command: x"],
  ["nothing below the key", "backends: # none yet\n\n# about auth\nauth:\n  enabled: false\n"],
  ["a flow map", "backends: {a: {command: x}, b: {command: y}} # all\nserver: {port: 1}\n"],
  ["a list of commented examples", "backends:\n  # a:\n  #   command: x\n"],
  ["document markers", "---\nbackends:\n  a: {command: x}\n...\n"],
];

for (const [name, text] of files)
  test(`addBackend, removeBackend: leave ${name} as it was, byte for byte`, async () => {
    const added = await addBackend(text, "gateway.yaml", "new one", entry);
    assert.ok(added.length > text.length);
    assert.equal(await removeBackend(added, "gateway.yaml", "new one"), text);
  });

test("addBackend: writes behind the last backend, indented as its neighbours", async () => {
  const added = await addBackend(house, "gateway.yaml", "new", entry);
  const block = `    new:
      command: npx -y 'a b'
      description: "x: y # z"
      env:
        TOKEN: "true"
`;
  assert.equal(added, house.replace("            lines\n", `            lines\n${block}`));
});

test("addBackend: makes the section where there is none", async () => {
  const section = "backends:\n  a:\n    command: x\n";
  assert.equal(await addBackend("", "f", "a", { command: "x" }), section);
  assert.equal(await addBackend("server:\n  port: 1", "f", "a", { command: "x" }), `server:\n  port: 1\n\n${section}`);
  assert.equal(await addBackend("backends: {} # none\n", "f", "a", { command: "x" }), section.replace(":", ": # none"));
});

test("removeBackend: takes the backend's own comments along and no other", async () => {
  const without = await removeBackend(house, "gateway.yaml", "alpha");
  const [start, end] = [house.indexOf("    alpha:"), house.indexOf("    # about beta")];
  assert.equal(without, house.slice(0, start) + house.slice(end));
  assert.equal(await removeBackend("backends:\n  a:\n    command: x\nauth: {}\n", "f", "a"), "backends:\nauth: {}\n");
  assert.equal(
    await removeBackend("backends: {a: {command: x}, b: {command: y}}\n", "f", "a"),
    "backends: {b: {command: y}}\n",
  );
});

test("addBackend, removeBackend: refuse a file that does not parse, and names that are taken or unknown", async () => {
  await assert.rejects(addBackend("a: [", "gateway.yaml", "x", entry), /gateway\.yaml:1:5 {2}Flow sequence/);
  await assert.rejects(removeBackend("a: b: c", "gateway.yaml", "x"), /gateway\.yaml:1:4 {2}/);
  await assert.rejects(addBackend(house, "gateway.yaml", "beta", entry), /has one of that name/);
  await assert.rejects(removeBackend(house, "gateway.yaml", "gamma"), /has none of that name/);
  await assert.rejects(addBackend(house, "gateway.yaml", "a/b", entry), /backends\."a\/b" needs a name/);
  await assert.rejects(
    addBackend(house, "gateway.yaml", "web", { http_url: "ftp://x" }),
    /web\.http_url must be an address/,
  );
});

test("addBackend: refuses rather than disturb a file that is written too unusually", async () => {
  await assert.rejects(
    addBackend('{"server": {"port": 1}}', "gateway.yaml", "x", entry),
    /without disturbing the rest/,
  );
});

test("addEnvFile: in whatever way the list is written, once", async () => {
  for (const [before, after] of [
    ["a: 1\n".replace("a: 1", "config: {}"), "config: {}\n\nenv_files:\n  - x.env\n"],
    ["env_files: [] # none\n", 'env_files: ["x.env"] # none\n'],
    ["env_files: # none yet\nbackends: {}\n", 'env_files: ["x.env"] # none yet\nbackends: {}\n'],
    ["env_files: [a.env] # one\n", 'env_files: [a.env, "x.env"] # one\n'],
    ["env_files:\r\n- a.env\r\n# end\r\n", "env_files:\r\n- a.env\r\n- x.env\r\n# end\r\n"],
    ["env_files:\n    - a.env", "env_files:\n    - a.env\n    - x.env"],
    ["env_files: [x.env]\n", "env_files: [x.env]\n"],
  ] as const)
    assert.equal(await addEnvFile(before, "gateway.yaml", "x.env"), after);
  await assert.rejects(addEnvFile("env_files: x\n", "gateway.yaml", "x.env"), {
    message: 'Cannot add an env file: "env_files" of gateway.yaml is not a list',
  });
});

test("addBackend: refuses names that would be read as nothing", async () => {
  await assert.rejects(addBackend("", "gateway.yaml", "constructor", { command: "x" }), {
    message: '"constructor" cannot be the name of a backend: choose another one',
  });
});

import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

test("init, validate, add, list, get, remove: from nothing to a file and back, comments kept", async (t) => {
  const { folder, run } = house(t);
  const path = join(folder, "gateway.yaml");
  const created = await run("init");
  assert.equal(created.code, 0, created.err);
  assert.match(
    created.out,
    /^Created gateway\.yaml\nCreated capabilities\/knowledge\/weather_current\.yaml\nCreated capabilities\/knowledge\/public_holidays\.yaml\nProfile: local\n/,
  );
  assert.match(created.out, /"url": "http:\/\/127\.0\.0\.1:39400\/mcp"/);
  const template = readFileSync(path, "utf8");
  assert.deepEqual(await run("validate", "gateway.yaml"), {
    code: 0,
    out: "gateway.yaml is valid: 0 backend(s)\n",
    err: "",
  });
  chmodSync(path, 0o600);

  const added = await run(
    "add",
    "files",
    "-e",
    "TOKEN=s3cret",
    "-e",
    "MODE=ro",
    "-d",
    "My files",
    "--",
    "npx",
    "-y",
    "a b",
  );
  assert.deepEqual(added, { code: 0, out: "Added 'files' (stdio).\n", err: "" });
  assert.equal((await run("add", "web", "--url", "http://localhost:1/sse")).out, "Added 'web' (sse).\n");
  const agent = await run("add", "sky", "--a2a-url", "https://me:pw@sky.example/agents/sky", "-H", "X-Key: k");
  assert.deepEqual(agent, { code: 0, out: "Added 'sky' (a2a).\n", err: "" });
  assert.match(readFileSync(path, "utf8"), /sky:\n +a2a_url: https:\/\/me:pw@sky\.example\/agents\/sky\n +headers:/);
  const shownAgent = await run("get", "sky");
  assert.match(shownAgent.out, /a2a/);
  assert.ok(!shownAgent.out.includes("pw"), shownAgent.out);
  assert.equal((await run("remove", "sky")).code, 0);
  assert.equal(statSync(path).mode & 0o777, 0o600);

  const [list, json, shown, twice, unknown] = await Promise.all([
    run("list"),
    run("list", "--json"),
    run("get", "files"),
    run("add", "web", "--command", "x"),
    run("get", "fils"),
  ]);
  assert.equal(
    list.out,
    "2 backend(s) in gateway.yaml:\n  files (stdio)\n    My files\n  web (sse)\n    (no description)\n",
  );
  assert.deepEqual(
    (JSON.parse(json.out) as { name: string; transport: string }[]).map(({ name, transport }) => [name, transport]),
    [
      ["files", "stdio"],
      ["web", "sse"],
    ],
  );
  assert.match(
    shown.out,
    /^Name: +files\nTransport: +stdio\n[\s\S]*Command: +npx -y 'a b'\nEnvironment:\n {2}TOKEN=\[redacted\]\n {2}MODE=ro\n$/,
  );
  assert.deepEqual(
    [twice.code, twice.err.split("\n")[0]],
    [1, 'Cannot add the backend "web": gateway.yaml has one of that name'],
  );
  assert.deepEqual([unknown.code, unknown.err], [1, 'Backend "fils" is not in gateway.yaml: did you mean "files"?\n']);

  assert.equal((await run("remove", "files")).out, "Removed 'files'.\n");
  assert.equal((await run("remove", "web")).out, "Removed 'web'.\n");
  assert.equal(readFileSync(path, "utf8"), template);
  assert.equal((await run("remove", "web")).code, 1);
  assert.equal((await run("list")).out, "No backends configured in gateway.yaml.\n");

  const again = await run("init");
  assert.deepEqual(
    [again.code, again.err],
    [1, "Error: gateway.yaml already exists. Remove it first or choose a different path with --output.\n"],
  );
  const minimal = await run("init", "--profile", "minimal", "-o", "conf/small.yaml");
  assert.match(minimal.out, /^Created conf\/small\.yaml\nProfile: minimal\n/);
  assert.equal((await run("validate", "-c", "conf/small.yaml")).out, "conf/small.yaml is valid: 0 backend(s)\n");
});

test("add: makes the file where there is none, touches none that is broken, and asks for a command", async (t) => {
  const { folder, run } = house(t);
  assert.equal((await run("-c", "new.yaml", "add", "a", "--command", "x 'y z'")).code, 0);
  assert.equal(readFileSync(join(folder, "new.yaml"), "utf8"), "backends:\n  a:\n    command: x 'y z'\n");
  const broken = "backends: [\n";
  writeFileSync(join(folder, "gateway.yaml"), broken);
  const [refused, without] = await Promise.all([run("add", "a", "--command", "x"), run("add", "a")]);
  assert.deepEqual([refused.code, refused.err.startsWith("gateway.yaml:2:1  ")], [1, true]);
  assert.equal(readFileSync(join(folder, "gateway.yaml"), "utf8"), broken);
  assert.deepEqual(
    [without.code, without.err.split("\n")[0]],
    [2, '"a" is not a server that is known by name: give its URL, or its command behind "--"'],
  );
});

test("add: an address tells by its scheme how the server is reached, and the file is valid", async (t) => {
  const { run } = house(t);
  for (const [name, url, transport] of [
    ["far", "wss://example.com/mcp", "websocket"],
    ["near", "unix:///run/server.sock", "unix"],
  ] as const)
    assert.equal((await run("add", name, "--url", url)).out, `Added '${name}' (${transport}).\n`);
  assert.equal((await run("validate", "gateway.yaml")).out, "gateway.yaml is valid: 2 backend(s)\n");
});

test("add: a server known by name needs no more, and says which variables it needs", async (t) => {
  const { folder, run } = house(t, { DD_API_KEY: "x" });
  const [added, withMore, unknown, known] = [
    await run("add", "datadog"),
    await run("add", "github", "-e", "EXTRA=1", "-d", "Ours"),
    await run("add", "githb"),
    await run("list", "--known"),
  ];
  assert.deepEqual(added, {
    code: 0,
    out: "Added 'datadog' (stdio).\n  Required: DD_API_KEY set\n  Required: DD_APP_KEY NOT SET\n",
    err: "",
  });
  assert.equal(withMore.out, "Added 'github' (http).\n  Required: GITHUB_TOKEN NOT SET\n");
  assert.match(unknown.err, /^"githb" is not a server that is known by name: did you mean "github"\?/);
  assert.equal(known.out.trimEnd().split("\n").length, 48);
  assert.match(known.out, /^tavily +Search the web/);
  assert.equal(
    readFileSync(join(folder, "gateway.yaml"), "utf8"),
    [
      "backends:",
      "  datadog:",
      "    command: npx -y @winor30/mcp-server-datadog",
      "    description: Metrics, logs, monitors and incidents in Datadog",
      "    env:",
      "      DATADOG_API_KEY: $" + "{DD_API_KEY}",
      "      DATADOG_APP_KEY: $" + "{DD_APP_KEY}",
      "  github:",
      "    http_url: https://api.githubcopilot.com/mcp/",
      "    description: Ours",
      "    headers:",
      "      Authorization: Bearer $" + "{GITHUB_TOKEN}",
      "    env:",
      '      EXTRA: "1"',
      "",
    ].join("\n"),
  );
});

test("add: takes the line of `claude mcp add` as it is", async (t) => {
  const { folder, run } = house(t);
  for (const line of [
    ["--transport", "http", "web", "https://x.example/mcp", "-H", "Authorization: Bearer a:b", "--header", "X-Y:z"],
    ["-s", "user", "-t", "sse", "events", "https://x.example/sse"],
    ["-e", "A=1", "--env", "B=x=y", "tool", "--", "npx", "-y", "pkg", "--flag"],
    ["--scope", "project", "plain", "uvx", "some-server"],
  ])
    assert.equal((await run("add", ...line)).err, "");
  assert.equal(
    readFileSync(join(folder, "gateway.yaml"), "utf8"),
    `backends:
  web:
    http_url: https://x.example/mcp
    headers:
      Authorization: Bearer a:b
      X-Y: z
  events:
    http_url: https://x.example/sse
  tool:
    command: npx -y pkg --flag
    env:
      A: "1"
      B: x=y
  plain:
    command: uvx some-server
`,
  );
  for (const [line, message] of [
    [["a", "https://x", "more"], '"more" is one word too many behind the URL'],
    [["a", "--url", "https://x", "--", "b"], "A backend has a command or a URL, not both"],
    [["a", "-t", "stdio", "https://x"], "A backend with a URL is not stdio"],
    [["a", "-t", "stdio", "--a2a-url", "https://x"], "A backend with a URL is not stdio"],
    [["a", "https://x", "--a2a-url", "https://x"], "A backend has a command or a URL, not both"],
    [["a", "-H", "X: y", "--", "b"], "--header is for a backend with a URL"],
    [["a", "-H", "nocolon", "https://x"], '--header must be "NAME: VALUE"'],
  ] as const) {
    const refused = await run("add", ...line);
    assert.deepEqual([refused.code, refused.err.split("\n")[0]], [2, message]);
  }
});

test("get: says what the program runs in", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(
    join(folder, "gateway.yaml"),
    `backends:
  boxed: {command: x, runtime_profile: box}
  plain: {command: x}
  web: {http_url: http://x/mcp}
runtime: {default_provider: bubblewrap, availability: {bubblewrap: true, docker: true}, profiles: {box: {provider: docker, image: i}}}
`,
  );
  const [boxed, plain, web] = await Promise.all(["boxed", "plain", "web"].map((name) => run("get", name)));
  assert.match(boxed?.out ?? "", /^Runtime: +docker \(profile box\)$/m);
  assert.match(plain?.out ?? "", /^Runtime: +bubblewrap$/m);
  assert.doesNotMatch(web?.out ?? "", /Runtime/);
});

/** What is started in place of a program, byte by byte, and what a sandbox really keeps it from. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { bubblewrapCommand } from "../../src/upstreams/isolation/bubblewrap-command.ts";
import { containerCommand, containerEnd } from "../../src/upstreams/isolation/container-command.ts";
import { isolate } from "../../src/upstreams/isolation/isolate.ts";
import type { Program } from "../../src/upstreams/isolation/launch.ts";
import { profileSchema, type RuntimeProfile } from "../../src/upstreams/isolation/schema.ts";

const profile = (changes: object): RuntimeProfile => v.parse(profileSchema, changes);
const program: Program = { argv: ["serve", "--root", "/a b"], env: { API_KEY: "s3cr3t" }, cwd: undefined };

test("containerCommand: as little as possible by default, and no value of a variable", () => {
  const argv = containerCommand(profile({ provider: "docker", image: "img:1" }), "box", program);
  assert.deepEqual(argv, [
    ...["docker", "run", "--interactive", "--rm", "--init", "--name", "box", "--log-driver", "none"],
    ...["--network", "bridge", "--pids-limit", "512", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--env", "API_KEY", "img:1", "serve", "--root", "/a b"],
  ]);
});

test("containerCommand: everything a profile can say", () => {
  const mount = (mode: "read_only" | "writable" | "writable_overlay") => ({
    source: `/${mode}`,
    target: "/data",
    mode,
  });
  const full = profile({
    provider: "podman",
    executable: "/opt/podman",
    image: "img",
    network_egress: "loopback",
    mounts: [mount("read_only"), mount("writable"), mount("writable_overlay")],
    resources: { cpu_cores: 1.5, memory_mb: 256 },
    privileged: true,
  });
  assert.deepEqual(containerCommand(full, "box", { ...program, cwd: "/work" }), [
    ...["/opt/podman", "run", "--interactive", "--rm", "--init", "--name", "box", "--log-driver", "none"],
    ...["--network", "none", "--cpus", "1.5", "--memory", "256m", "--memory-swap", "256m", "--pids-limit", "512"],
    "--privileged",
    ...["--mount", "type=bind,source=/read_only,target=/data,readonly"],
    ...["--mount", "type=bind,source=/writable,target=/data", "--volume", "/writable_overlay:/data:O"],
    ...["--env", "API_KEY", "--workdir", "/work", "img", "serve", "--root", "/a b"],
  ]);
  assert.deepEqual(containerEnd(full, "box"), ["/opt/podman", "rm", "--force", "--time", "0", "box"]);
  assert.deepEqual(containerEnd(profile({ provider: "docker" }), "box"), ["docker", "rm", "--force", "box"]);
});

test("isolate: a container has a name of its own at every start, and its client the variables", () => {
  const docker = profile({ provider: "docker", image: "img" });
  const [one, other] = [isolate(docker, "my server/1", program), isolate(docker, "my server/1", program)];
  const nameIn = ({ argv }: { argv: readonly string[] }) => argv[argv.indexOf("--name") + 1] as string;
  assert.match(nameIn(one), /^mcp-gateway-my-server-1-[0-9a-f]{12}$/);
  assert.notEqual(nameIn(one), nameIn(other));
  assert.deepEqual(one.endArgv, ["docker", "rm", "--force", nameIn(one)]);
  assert.equal(one.env["API_KEY"], "s3cr3t");
  assert.equal(one.env["PATH"], process.env["PATH"]);
  assert.ok(!one.argv.some((argument) => argument.includes("s3cr3t")));
});

test("isolate: a plain process is started as it is", () => {
  const { argv, cwd, endArgv } = isolate(profile({}), "x", { ...program, cwd: "/w" });
  assert.deepEqual([argv, cwd, endArgv], [program.argv, "/w", undefined]);
});

test("bubblewrapCommand: a root of its own, the network only where it is wanted", () => {
  const argv = bubblewrapCommand(
    profile({
      provider: "bubblewrap",
      network_egress: "none",
      mounts: [
        { source: "/srv/a", target: "/data" },
        { source: "/srv/b", target: "/out", mode: "writable" },
      ],
    }),
    program,
  );
  assert.deepEqual(argv.slice(0, 7), [
    ...["bwrap", "--die-with-parent", "--new-session", "--unshare-all", "--cap-drop", "ALL", "--ro-bind-try"],
  ]);
  const text = argv.join(" ");
  assert.ok(text.includes("--ro-bind /srv/a /data --bind /srv/b /out --remount-ro /"), text);
  assert.ok(text.endsWith("--setenv HOME /tmp/home --setenv TMPDIR /tmp --chdir /tmp/home -- serve --root /a b"), text);
  assert.ok(!text.includes("--share-net") && !text.includes("s3cr3t"));
  for (const secret of ["/etc ", "/etc/passwd", "/etc/shadow", "/home", "/root", "/var", "/run"])
    assert.ok(!text.includes(`-try ${secret}`), secret);
  const open = bubblewrapCommand(profile({ provider: "bubblewrap" }), {
    ...program,
    env: { HOME: "/data" },
    cwd: "/data",
  });
  assert.ok(open.includes("--share-net"));
  assert.ok(open.join(" ").endsWith("--remount-ro / --setenv TMPDIR /tmp --chdir /data -- serve --root /a b"));
});

/** Why a sandbox cannot be tried here; `false` where it can. */
const noSandbox =
  process.platform !== "linux"
    ? "bubblewrap is for Linux"
    : spawnSync("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"]).status !== 0 &&
      "bubblewrap is not installed, or this machine forbids it (user namespaces)";

function inSandbox(t: TestContext, script: string, changes: Partial<RuntimeProfile> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "secret.txt"), "the user's own");
  const sandbox = { ...profile({ provider: "bubblewrap", network_egress: "none" }), ...changes };
  const { argv, env } = isolate(sandbox, "x", {
    argv: ["/bin/sh", "-c", script, folder],
    env: { GIVEN: "1" },
    cwd: undefined,
  });
  const [file, ...args] = argv;
  const run = spawnSync(file as string, args, { env, encoding: "utf8" });
  return { folder, out: run.stdout.trim(), err: run.stderr, code: run.status };
}

test("bubblewrap: files of the user are not there, and the system cannot be changed", { skip: noSandbox }, (t) => {
  const { out, err } = inSandbox(
    t,
    'cat "$0/secret.txt"; cat /etc/shadow; ls /root /home; touch /usr/x /x /etc/x; echo "$HOME $TMPDIR $GIVEN"; pwd; touch file && ls',
  );
  assert.equal(out, "/tmp/home /tmp 1\n/tmp/home\nfile");
  assert.doesNotMatch(err, /the user's own/);
  assert.equal(err.match(/No such file/g)?.length, 4, err);
  assert.equal(err.match(/Read-only|Permission denied/g)?.length, 3, err);
});

test("bubblewrap: a mount is seen, and written to only where it may be", { skip: noSandbox }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "a"), "content");
  const script = "cat /data/a; echo changed >/data/a";
  const mounts = (mode: "read_only" | "writable") => ({ mounts: [{ source: folder, target: "/data", mode }] });
  const closed = inSandbox(t, script, mounts("read_only"));
  assert.equal(closed.out, "content");
  assert.match(closed.err, /Read-only/);
  assert.equal(readFileSync(join(folder, "a"), "utf8"), "content");
  inSandbox(t, script, mounts("writable"));
  assert.equal(readFileSync(join(folder, "a"), "utf8"), "changed\n");
});

test("bubblewrap: without a network nothing of this machine is reached, not even itself", {
  skip: noSandbox,
}, async (t) => {
  const server = createServer((socket) => socket.end("reached"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  // The server answers only while this test does not wait for the sandbox, so that it connects is what is asked.
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`;
  const bash = (changes: Partial<RuntimeProfile>) => {
    const { argv, env } = isolate({ ...profile({ provider: "bubblewrap" }), ...changes }, "x", {
      argv: ["bash", "-c", script],
      env: {},
      cwd: undefined,
    });
    return spawnSync(argv[0] as string, argv.slice(1), { env, encoding: "utf8" }).stdout.trim();
  };
  assert.equal(bash({ network_egress: "full" }), "connected");
  assert.equal(bash({ network_egress: "loopback" }), "");
  assert.equal(bash({ network_egress: "none" }), "");
});

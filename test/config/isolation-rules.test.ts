/** The `runtime` section: what no provider can do is said, with its place, before anything runs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { findings, loadText, temporaryFolder } from "./fixture.ts";

const backend = "backends: {a: {command: x, runtime_profile: box}}\n";
const all = "bubblewrap: true, docker: true, podman: true";
const runtime = (profile: string, available = all, more = "") =>
  `${backend}runtime: {availability: {${available}}, profiles: {box: {${profile}}}${more}}`;

async function problem(t: Parameters<typeof findings>[0], text: string): Promise<string> {
  const lines = await findings(t, text);
  assert.equal(lines.length, 1, lines.join("\n"));
  return (lines[0] as string).replace(/^gateway\.yaml:2:\d+ {2}/, "");
}

test("loadConfig: a provider that is not there, or cannot run such servers, is refused by name", async (t) => {
  const at = "runtime.profiles.box.provider";
  assert.equal(
    await problem(t, runtime("provider: docker, image: i", "podman: true")),
    `${at} is "docker", which is not available: set "runtime.availability.docker" to true where it is installed`,
  );
  for (const provider of ["systemd", "launchd", "kubernetes"])
    assert.equal(
      await problem(t, runtime(`provider: ${provider}`, `${provider}: true`)),
      `${at} cannot be "${provider}", which runs services and no stdio servers: use "local_process", "bubblewrap", "docker" or "podman"`,
    );
  const fallback = "runtime: {default_provider: bubblewrap, profiles: {box: {}}}";
  assert.match(
    await problem(t, `backends: {a: {command: x}}\n${fallback}`),
    /^runtime\.default_provider is "bubblewrap", which is not available/,
  );
  assert.deepEqual(await findings(t, backend + fallback), [], "nothing depends on it");
});

test("loadConfig: what a provider cannot hold a program to is refused, and nothing else", async (t) => {
  const containers = '"docker" or "podman"';
  const isolating = '"bubblewrap", "docker" or "podman"';
  const only = (providers: string, provider: string) =>
    `works only with the provider ${providers}: "${provider}" cannot do it`;
  const wrong: [profile: string, problem: string][] = [
    ["provider: docker", 'needs "image" for the provider "docker"'],
    ["image: i", `.image ${only(containers, "local_process")}`],
    ["provider: bubblewrap, image: i", `.image ${only(containers, "bubblewrap")}`],
    ["executable: /x", `.executable ${only(isolating, "local_process")}`],
    ["provider: bubblewrap, privileged: true", `.privileged ${only(containers, "bubblewrap")}`],
    ["provider: bubblewrap, resources: {cpu_cores: 1}", `.resources.cpu_cores ${only(containers, "bubblewrap")}`],
    ["resources: {memory_mb: 1}", `.resources.memory_mb ${only(containers, "local_process")}`],
    ["network_egress: none", `.network_egress ${only(isolating, "local_process")}`],
    [
      "provider: docker, image: i, network_egress: {allowlist: [a.example]}",
      '.network_egress cannot be a list, which no provider holds a program to: use "none" or "full"',
    ],
    ["mounts: [{source: /a, target: /b}]", `.mounts ${only(isolating, "local_process")}`],
    [
      "provider: docker, image: i, mounts: [{source: /a, target: /b, mode: writable_overlay}]",
      `.mounts[0].mode ${only('"podman"', "docker")}`,
    ],
    [
      'provider: docker, image: i, mounts: [{source: "/a,b", target: /b}]',
      '.mounts[0].source has a ",", ":" or quote, which a container cannot have there',
    ],
    [
      "data_class: public, guarded_env_keys: [KEY]",
      '.guarded_env_keys has secrets for a program that sees public data only: raise "data_class", or hand it none',
    ],
    ["data_class: sensitive", `.data_class needs a provider that isolates the program: ${isolating}`],
  ];
  for (const [profile, expected] of wrong) {
    const line = await problem(t, runtime(profile));
    assert.equal(line, `runtime.profiles.box${expected.startsWith(".") ? "" : " "}${expected}`);
  }
  for (const source of ["/", "/etc", "/proc", "/var/run/docker.sock", "//run/"])
    assert.match(
      await problem(t, runtime(`provider: bubblewrap, mounts: [{source: ${source}, target: /b}]`)),
      /^runtime\.profiles\.box\.mounts\[0\]\.source would hand over the machine itself/,
    );
  const right = [
    "",
    "env_keys: [A], guarded_env_keys: [B], resources: {timeout_secs: 9}, restart: {max_restarts: 0, backoff_secs: 1}",
    "provider: bubblewrap, network_egress: none, data_class: sensitive, mounts: [{source: /a, target: /b, mode: writable}]",
    "provider: podman, image: i, resources: {cpu_cores: 0.5, memory_mb: 9}, mounts: [{source: /a, target: /b, mode: writable_overlay}]",
  ];
  const env = { A: "1", B: "2" };
  for (const profile of right) assert.deepEqual(await findings(t, runtime(profile), { env }), [], profile);
  assert.equal(
    await problem(t, runtime("env_keys: [A]")),
    'runtime.profiles.box.env_keys[0] names the environment variable "A", which is not set: the program does not get it',
  );
});

test("loadConfig: a privileged container is a warning", async (t) => {
  assert.match(
    await problem(t, runtime("provider: docker, image: i, privileged: true")),
    /^runtime\.profiles\.box\.privileged gives the program the machine/,
  );
});

test("loadConfig: the default provider needs an image where a program has no profile", async (t) => {
  const text = (entry: string) =>
    `backends: {a: {command: x${entry}}}\nruntime: {default_provider: docker, availability: {docker: true}, profiles: {box: {provider: docker, image: i}}}`;
  assert.match(
    await problem(t, text("")),
    /^runtime\.default_provider cannot run "a", which has no profile to name an image: give it a "runtime_profile"/,
  );
  assert.deepEqual(await findings(t, text(", runtime_profile: box")), []);
  assert.deepEqual(await findings(t, text(", enabled: false")), []);
});

test("loadConfig: sources of mounts are made absolute, with home and variables filled in", async (t) => {
  const folder = temporaryFolder(t);
  const mounts = `[{source: data, target: /a}, {source: ~/b, target: /b}, {source: "$${"{PLACE}"}/c", target: /c}]`;
  const { config } = await loadText(t, runtime(`provider: bubblewrap, mounts: ${mounts}`), {
    folder,
    env: { HOME: "/home/me", PLACE: "/srv" },
  });
  const sources = config.runtime?.profiles["box"]?.mounts.map(({ source }) => source);
  assert.deepEqual(sources, [join(folder, "data"), "/home/me/b", "/srv/c"]);
});

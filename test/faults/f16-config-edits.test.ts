import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayProcess } from "../e2e/harness.ts";
import { httpClient } from "./client.ts";
import { bystander, eventually, health, rawBackend, withGateway } from "./gateway.ts";

const initial = { failsafe: { rate_limit: { enabled: false } }, backends: { kept: rawBackend() } };

/** Ways to ruin the file at `path`; `text` is what stands in it. */
const damages: Record<string, (path: string, text: string, folder: string) => void> = {
  "broken YAML": (path, text) => writeFileSync(path, `${text}\n}: {`),
  "an empty file": (path) => writeFileSync(path, ""),
  "half of it": (path, text) => writeFileSync(path, text.slice(0, text.length >> 1)),
  "a setting of the wrong kind": (path, text) =>
    writeFileSync(path, text.replace('"command": [', '"command": 7, "x": [')),
  "bytes that are no text": (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0xc3])),
  "a file that is gone": (path) => rmSync(path),
  "what cannot be read": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  "a link to something broken": (path, _text, folder) => {
    writeFileSync(join(folder, "elsewhere.yaml"), "backends: [");
    symlinkSync(join(folder, "elsewhere.yaml"), `${path}.new`);
    renameSync(`${path}.new`, path);
  },
  "a link to nothing": (path, _text, folder) => {
    rmSync(path);
    symlinkSync(join(folder, "nowhere.yaml"), path);
  },
};

function reloads(gateway: GatewayProcess): number {
  return gateway.stderr().split("Configuration reloaded").length - 1;
}

/** A valid file that differs from all before it by its number. */
function edition(gateway: GatewayProcess, number: number): string {
  const config = JSON.parse(readFileSync(join(gateway.folder, "first"), "utf8")) as { backends: object };
  const backends = { ...config.backends, [`edition-${number}`]: rawBackend() };
  return JSON.stringify({ ...config, backends }, null, 1);
}

async function survivesAll(gateway: GatewayProcess): Promise<void> {
  const { configPath, folder } = gateway;
  const client = await httpClient(gateway, "/mcp/kept");
  const pid = (await client.call("pid")).text;
  const stop = bystander(client);
  writeFileSync(join(folder, "first"), readFileSync(configPath));
  let number = 0;
  for (const [name, damage] of Object.entries(damages)) {
    const context = `${name}: ${gateway.stderr().slice(-500)}`;
    damage(configPath, edition(gateway, number), folder);
    const sick = await eventually(
      () => health(gateway),
      ({ config_error }) => config_error !== undefined,
    );
    assert.equal(sick.status, "healthy", context);
    assert.ok("kept" in sick.backends, context);
    assert.equal(reloads(gateway), number, context);

    rmSync(configPath, { recursive: true, force: true });
    writeFileSync(configPath, edition(gateway, ++number));
    const well = await eventually(
      () => health(gateway),
      ({ config_error, backends }) => config_error === undefined && `edition-${number}` in backends,
    );
    assert.deepEqual(Object.keys(well.backends), ["kept", `edition-${number}`], context);
    // The log may be a moment behind; whether it was once shows in the next round.
    await eventually(
      () => reloads(gateway),
      (times) => times === number,
    );
  }

  // What an editor, a deployment tool and a program that writes in place do, far faster than anybody can follow.
  assert.equal(reloads(gateway), number);
  const startMs = performance.now();
  for (let edit = 0; edit < 1_000; edit++) {
    const text = edit % 3 === 0 ? "backends: [" : edition(gateway, 1_000 + edit);
    if (edit % 2 === 0) writeFileSync(configPath, text);
    else {
      writeFileSync(`${configPath}.new`, text);
      renameSync(`${configPath}.new`, configPath);
    }
    if (edit % 20 === 0) await sleep(Math.max(0, edit - (performance.now() - startMs)));
  }
  writeFileSync(configPath, edition(gateway, 2_000));
  await eventually(
    () => health(gateway),
    ({ config_error, backends }) => config_error === undefined && "edition-2000" in backends,
  );
  // Longer than the watcher waits for quiet, or between two looks of its own.
  await sleep(2_500);
  const applied = reloads(gateway) - number;
  assert.ok(applied <= 10, `${applied} reloads for 1,000 edits`);
  const last = gateway.stderr().split("edition-2000").length - 1;
  assert.equal(last, 1, "the last one is applied once");

  await stop();
  assert.equal((await client.call("pid")).text, pid, "the backend that stayed was left alone");
}

describe("F16 configuration file ruined in every way, and mended again", () => {
  test("the gateway serves on and shows the error, a valid edit is applied once, for a file that was named and one that was found", async () => {
    await Promise.all([false, true].map((discover) => withGateway(initial, survivesAll, { discover })));
  });

  test("a link that is swapped to another valid file is followed, as mounted configuration does it", () =>
    withGateway(initial, async (gateway) => {
      const { configPath, folder } = gateway;
      writeFileSync(join(folder, "first"), readFileSync(configPath));
      for (const number of [1, 2]) {
        mkdirSync(join(folder, `mount-${number}`));
        writeFileSync(join(folder, `mount-${number}`, "gateway.yaml"), edition(gateway, number));
      }
      symlinkSync("mount-1", join(folder, "data"));
      rmSync(configPath);
      symlinkSync(join("data", "gateway.yaml"), configPath);
      await eventually(
        () => health(gateway),
        ({ backends }) => "edition-1" in backends,
      );
      symlinkSync("mount-2", join(folder, "data.new"));
      renameSync(join(folder, "data.new"), join(folder, "data"));
      await eventually(
        () => health(gateway),
        ({ backends }) => "edition-2" in backends,
      );
    }));
});

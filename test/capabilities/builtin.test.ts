/** The capabilities that travel with the program. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { embedPlugin } from "../../deploy/embed-plugin.ts";
import { embeddedFiles } from "../../src/runtime/embedded.ts";
import { call, KeptLog, listTools, upstreamOver } from "./fixture.ts";

test("built-in: both load without a warning, are read-only and say when to use them", async () => {
  const log = new KeptLog();
  await using upstream = upstreamOver([], { builtin: true, log });
  const tools = await listTools(upstream);
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["public_holidays", "weather_current"],
  );
  assert.deepEqual(log.lines, []);
  for (const { annotations, description, name } of tools) {
    assert.deepEqual(annotations, {
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: true,
    });
    assert.ok(String(description).length > 80 && String(description).length < 500, String(name));
  }
});

test("built-in: they ask the APIs they name, as these document it", async (context) => {
  const asked: string[] = [];
  context.mock.method(globalThis, "fetch", async (url: URL) => {
    asked.push(String(url));
    return Response.json({ ok: true });
  });
  await using upstream = upstreamOver([], { builtin: true });
  await call(upstream, "weather_current", {
    latitude: "60.17",
    longitude: 24.94,
    temperature_unit: "fahrenheit",
    current: "temperature_2m",
  });
  await call(upstream, "public_holidays", { year: "2026", country_code: "FI" });
  assert.deepEqual(asked, [
    "https://api.open-meteo.com/v1/forecast?latitude=60.17&longitude=24.94&current=temperature_2m&temperature_unit=fahrenheit&wind_speed_unit=kmh&timezone=auto",
    "https://date.nager.at/api/v3/PublicHolidays/2026/FI",
  ]);
});

test("embedPlugin: puts ui/ and capabilities/ into the bundle, the latter checked and taken apart", async () => {
  type OnLoad = () => Promise<{ contents: string; loader: string }>;
  const loads: [RegExp, OnLoad][] = [];
  const builder = { onLoad: ({ filter }: { filter: RegExp }, run: OnLoad) => void loads.push([filter, run]) };
  const plugin = embedPlugin(fileURLToPath(new URL("../..", import.meta.url)), "mcp-gateway-linux-x64");
  await plugin.setup(builder as never);
  const exported = async (file: string) => {
    const load = loads.find(([filter]) => filter.test(`/src/runtime/${file}`))?.[1] as OnLoad;
    return JSON.parse(/^export const \w+ = (.*);$/.exec((await load()).contents)?.[1] ?? "");
  };
  const bundle = await exported("embedded-bundle.ts");
  assert.deepEqual(bundle.ui, Object.fromEntries(await embeddedFiles("ui")));
  assert.equal(bundle.releaseFile, "mcp-gateway-linux-x64");
  const files = Object.fromEntries(await embeddedFiles("capabilities"));
  assert.deepEqual(bundle.capabilities, files);
  const { index, definitions } = await exported("embedded-capabilities.ts");
  const entries = JSON.parse(index);
  assert.equal(entries.length, Object.keys(files).length);
  for (const { path, listed } of entries) assert.equal(JSON.parse(definitions[path]).name, listed.name);
  assert.match(bundle.ui["index.html"], /<title>MCP Gateway<\/title>/);
});

test("ui: the page keeps to a policy without inline scripts and styles", async () => {
  const page = (await embeddedFiles("ui")).get("index.html") ?? "";
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
});

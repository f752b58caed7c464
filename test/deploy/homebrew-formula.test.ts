import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { homebrewFormula } from "../../deploy/homebrew-formula.ts";
import { platforms, readSums, releasesUrl } from "../../deploy/release-files.ts";

const sums = platforms.map(({ file }, at) => `${String(at).repeat(64)}  ${file}\n`).join("");

test("homebrewFormula: names for each system the file and the checksum of that file", () => {
  const formula = homebrewFormula("1.2.3", sums);
  const blocks = Array.from(
    formula.matchAll(/on_(arm|intel) do\n\s+url "([^"]+)"\n\s+sha256 "([0-9a-f]{64})"/g),
    ([, cpu, url, sum]) => [cpu, url, sum],
  );
  const at = `${releasesUrl}/download/v1.2.3`;
  const of = (file: string) => [`${at}/${file}`, readSums(sums).get(file)];
  assert.deepEqual(blocks, [
    ["arm", ...of("mcp-gateway-darwin-arm64")],
    ["intel", ...of("mcp-gateway-darwin-x64")],
    ["arm", ...of("mcp-gateway-linux-arm64")],
    ["intel", ...of("mcp-gateway-linux-x64")],
  ]);
  assert.ok(formula.indexOf("on_macos") < formula.indexOf("darwin-arm64"));
  assert.ok(formula.indexOf("on_linux") > formula.indexOf("darwin-x64"));
  const opened = formula.match(/^\s*(class|def|on_\w+ do|service do|test do)\b/gm)!.length;
  assert.equal(formula.match(/^\s*end$/gm)!.length, opened);
});

test("homebrewFormula: is not written without a checksum it needs", () => {
  const without = sums.replace("mcp-gateway-darwin-arm64\n", "other\n");
  assert.throws(() => homebrewFormula("1.2.3", without), /SHA256SUMS does not list "mcp-gateway-darwin-arm64"/);
});

test("platforms: are those that install.sh and the upgrade ask for, at the address they ask", () => {
  const script = readFileSync(new URL("../../install.sh", import.meta.url), "utf8");
  assert.ok(script.includes(`releases=${releasesUrl}\n`));
  const upgrade = readFileSync(new URL("../../src/commands/run/upgrade.ts", import.meta.url), "utf8");
  assert.ok(upgrade.includes(`const releasesUrl = "${releasesUrl}";`));
  for (const { file, os, cpu, libc } of platforms)
    assert.equal(
      file,
      `mcp-gateway-${os === "win32" ? "windows" : os}-${cpu}${libc === "musl" ? "-musl" : ""}${os === "win32" ? ".exe" : ""}`,
    );
});

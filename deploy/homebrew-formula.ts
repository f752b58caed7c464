/** The Homebrew formula of a release, made from its SHA256SUMS: it cannot name a checksum that nobody computed. */
import { platforms, readSums, releasesUrl } from "./release-files.ts";

const osNames = { darwin: "macos", linux: "linux" } as const;
const cpuNames = { x64: "intel", arm64: "arm" } as const;

/** @throws when a file the formula needs is not in the sums */
export function homebrewFormula(version: string, sumsText: string): string {
  const sums = readSums(sumsText);
  const platform = (os: "darwin" | "linux", cpu: "x64" | "arm64") => {
    // Homebrew on Linux brings its own glibc.
    const file = platforms.find((p) => p.os === os && p.cpu === cpu && p.libc !== "musl")?.file ?? "";
    const sum = sums.get(file);
    if (sum === undefined) throw new Error(`Cannot write the Homebrew formula: SHA256SUMS does not list "${file}"`);
    return `    on_${cpuNames[cpu]} do
      url "${releasesUrl}/download/v${version}/${file}"
      sha256 "${sum}"
    end
`;
  };
  const system = (os: "darwin" | "linux") => `  on_${osNames[os]} do
${platform(os, "arm64")}${platform(os, "x64")}  end
`;
  return `class McpGateway < Formula
  desc "One gateway between AI clients and all their MCP servers and REST APIs"
  homepage "https://github.com/mcp-gateway/mcp-gateway"
  version "${version}"
  license "MIT"

${system("darwin")}
${system("linux")}
  def install
    bin.install Dir["mcp-gateway-*"].first => "mcp-gateway"
  end

  service do
    run [opt_bin/"mcp-gateway", "serve", "--config", etc/"mcp-gateway/gateway.yaml"]
    environment_variables MCP_GATEWAY_CONFIG_DIR: var/"mcp-gateway", PATH: std_service_path_env
    keep_alive true
    log_path var/"log/mcp-gateway.log"
    error_log_path var/"log/mcp-gateway.log"
  end

  test do
    assert_equal version.to_s, shell_output("#{bin}/mcp-gateway --version").strip
    system bin/"mcp-gateway", "init", "--output", testpath/"gateway.yaml"
    system bin/"mcp-gateway", "validate", testpath/"gateway.yaml"
  end
end
`;
}

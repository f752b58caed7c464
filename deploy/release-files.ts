/** The executables of a release: what Bun calls the platform, what the file is called, and how package managers name it. */
interface Platform {
  readonly target: string;
  readonly file: string;
  /** As in `process.platform`, `process.arch` and npm's `libc`. */
  readonly os: "linux" | "darwin" | "win32";
  readonly cpu: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
}

export const platforms: readonly Platform[] = [
  { target: "bun-linux-x64", file: "mcp-gateway-linux-x64", os: "linux", cpu: "x64", libc: "glibc" },
  { target: "bun-linux-arm64", file: "mcp-gateway-linux-arm64", os: "linux", cpu: "arm64", libc: "glibc" },
  { target: "bun-linux-x64-musl", file: "mcp-gateway-linux-x64-musl", os: "linux", cpu: "x64", libc: "musl" },
  { target: "bun-linux-arm64-musl", file: "mcp-gateway-linux-arm64-musl", os: "linux", cpu: "arm64", libc: "musl" },
  { target: "bun-darwin-x64", file: "mcp-gateway-darwin-x64", os: "darwin", cpu: "x64" },
  { target: "bun-darwin-arm64", file: "mcp-gateway-darwin-arm64", os: "darwin", cpu: "arm64" },
  { target: "bun-windows-x64", file: "mcp-gateway-windows-x64.exe", os: "win32", cpu: "x64" },
];

/** Where releases are published; `install.sh` and `mcp-gateway upgrade` say the same. */
export const releasesUrl = "https://github.com/mcp-gateway/mcp-gateway/releases";

/** File name → SHA-256 in hex, of lines as `sha256sum` writes them. */
export function readSums(text: string): ReadonlyMap<string, string> {
  return new Map(Array.from(text.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm), ([, sum, file]) => [file!, sum!]));
}

/**
 * Replaces the executable by a released one. Nothing is changed before the new one was compared with its checksum and
 * has run; the old one is kept beside it.
 */
import { version as ownVersion } from "../../core/version.ts";
import { compareVersions, isVersion } from "../../lib/version-order.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { downloadFile, downloadText } from "../../runtime/download.ts";
import { type Executable, replaceExecutable, thisExecutable, versionOfProgram } from "../../runtime/executable.ts";
import { removeFile, systemErrorCode } from "../../runtime/files.ts";
import { dirname, join } from "../../runtime/paths.ts";
import { environmentVariable, onSignal, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { sayDone } from "./say-done.ts";

const releasesUrl = "https://github.com/mcp-gateway/mcp-gateway/releases";
const maxListBytes = 65_536;
const maxProgramBytes = 512 * 1_024 * 1_024;

interface Release {
  readonly url: string;
  readonly version: string;
  /** SHA-256 of each file, in hex. */
  readonly sums: ReadonlyMap<string, string>;
}

export async function run(input: CommandInput): Promise<number> {
  const wanted = readVersion(input.text("release"));
  const url = releaseUrl(wanted);
  const own = await thisExecutable();
  if (own === undefined) throw new Error("Only a released executable can be upgraded; this one runs from its source");
  const stop = new AbortController();
  const ignore = onSignal(["SIGINT", "SIGTERM", "SIGHUP"], () => stop.abort(new Error("Stopped; nothing was changed")));
  try {
    const release = await readRelease(url, stop.signal);
    if (wanted !== undefined && release.version !== wanted)
      throw new Error(`${url} has version ${release.version}, not ${wanted}; nothing was changed`);
    const order = compareVersions(release.version, ownVersion);
    if (order === 0 || (order < 0 && wanted === undefined)) {
      if (!input.flag("quiet")) await writeStdout(`mcp-gateway ${ownVersion} is up to date\n`);
    } else if (input.flag("check") || input.flag("dry-run")) {
      await writeStdout(`mcp-gateway ${release.version} is available, this is ${ownVersion}\n`);
    } else {
      refuseManaged(own.path);
      const kept = await replaceBy(release, own, stop.signal);
      await sayDone(`Upgraded ${own.path} from ${ownVersion} to ${release.version}; the old one is ${kept}`);
      if (!input.flag("quiet")) await writeStdout("A gateway that runs goes on as it was until it is restarted\n");
    }
    return 0;
  } finally {
    ignore();
  }
}

function readVersion(text: string | undefined): string | undefined {
  const version = text?.replace(/^v/, "");
  if (version !== undefined && !isVersion(version)) throw new UsageError(`"${text}" is not a version such as 1.2.3`);
  return version;
}

/** The same rules as in `install.sh`. */
function releaseUrl(wanted: string | undefined): string {
  const given = environmentVariable("MCP_GATEWAY_BASE_URL")?.replace(/\/+$/, "");
  if (!given) return wanted === undefined ? `${releasesUrl}/latest/download` : `${releasesUrl}/download/v${wanted}`;
  // The checksum comes from the same place as the program: it proves nothing where anybody on the way can change both.
  if (URL.canParse(given) && /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)(:|\/|$))/.test(given)) return given;
  throw new Error(`MCP_GATEWAY_BASE_URL must begin with https:// (http:// only on this machine), not "${given}"`);
}

async function readRelease(url: string, signal: AbortSignal): Promise<Release> {
  const list = await downloadText(`${url}/SHA256SUMS`, { maxBytes: maxListBytes, signal });
  const sums = new Map(Array.from(list.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm), ([, sum, file]) => [file!, sum!]));
  const text = await downloadText(`${url}/VERSION`, { maxBytes: maxListBytes, signal });
  compareSums("VERSION", sha256Hex(text), sums, url);
  const version = text.trim();
  if (!isVersion(version)) throw new Error(`${url}/VERSION holds no version; nothing was changed`);
  return { url, version, sums };
}

function compareSums(file: string, actual: string, sums: ReadonlyMap<string, string>, url: string): void {
  const expected = sums.get(file);
  if (expected === undefined) throw new Error(`${url}/SHA256SUMS does not list ${file}; nothing was changed`);
  if (actual !== expected)
    throw new Error(`The checksum of ${url}/${file} is ${actual}, expected ${expected}; nothing was changed`);
}

/** @returns the path of the old executable */
async function replaceBy({ url, version, sums }: Release, own: Executable, signal: AbortSignal): Promise<string> {
  const { path, releaseFile } = own;
  if (!sums.has(releaseFile)) throw new Error(`${url}/SHA256SUMS does not list ${releaseFile}; nothing was changed`);
  const fresh = join(dirname(path), `.mcp-gateway.${crypto.randomUUID()}.new`);
  const kept = path.endsWith(".exe") ? path.replace(/exe$/, "old.exe") : `${path}.old`;
  try {
    const sum = await downloadFile(`${url}/${releaseFile}`, fresh, { maxBytes: maxProgramBytes, signal });
    compareSums(releaseFile, sum, sums, url);
    const says = await versionOfProgram(fresh).catch((error: unknown) => {
      throw new Error(`The downloaded program does not run on this machine; nothing was changed: ${String(error)}`);
    });
    if (says !== version)
      throw new Error(`The downloaded program says it is "${says}", not ${version}; nothing was changed`);
    signal.throwIfAborted();
    await replaceExecutable(path, fresh, kept);
    return kept;
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes(systemErrorCode(error) ?? ""))
      throw new Error(`${dirname(path)} cannot be written to: upgrade as the user who installed mcp-gateway there`);
    throw error;
  } finally {
    await removeFile(fresh);
  }
}

/** What a package manager installed is its own: it would undo the change, or fail over it. */
function refuseManaged(path: string): void {
  const manager = /[\\/]Cellar[\\/]/.test(path)
    ? "brew upgrade mcp-gateway"
    : /[\\/]node_modules[\\/]/.test(path)
      ? "npm install --global mcp-gateway@latest"
      : undefined;
  if (manager !== undefined) throw new Error(`${path} belongs to a package manager: use "${manager}"`);
}

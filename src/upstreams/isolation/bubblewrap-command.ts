/** A program in a sandbox of namespaces, by `bwrap`: a root of its own in which there is nothing of the user's. */
import type { BubblewrapProfile, Program } from "./launch.ts";
import { providerProgram } from "./provider-program.ts";

/** Programs and libraries, where a system has them. */
const systemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store"];

/** What programs need of /etc to be found and linked, and to find and trust other machines; the rest is none of their business. */
const systemFiles = [
  // Not /etc/ssl and /etc/pki as they are: private keys are in there.
  ...["alternatives", "ca-certificates", "crypto-policies", "pki/ca-trust", "pki/tls/certs", "ssl/certs"],
  ...["ssl/openssl.cnf"],
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d"],
  ...["host.conf", "hosts", "nsswitch.conf", "resolv.conf", "services"],
  ...["localtime", "mime.types"],
].map((name) => `/etc/${name}`);

const home = "/tmp/home";

/** @param program its variables are those of the process; HOME and TMPDIR are the sandbox's own where it names none */
export function bubblewrapCommand(profile: BubblewrapProfile, { argv, env, cwd }: Program): string[] {
  const { network_egress: egress, mounts } = profile;
  const own = { HOME: home, TMPDIR: "/tmp" };
  return [
    providerProgram(profile) as string,
    // Whoever kills this process, or us, ends everything inside: what is pid 1 there goes with its parent.
    ...["--die-with-parent", "--new-session", "--unshare-all", "--cap-drop", "ALL"],
    ...(egress === "full" ? ["--share-net"] : []),
    ...[...systemFolders, ...systemFiles].flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", home],
    ...mounts.flatMap(({ source, target, mode }) => [mode === "read_only" ? "--ro-bind" : "--bind", source, target]),
    ...["--remount-ro", "/"],
    ...Object.entries(own).flatMap(([name, value]) => (name in env ? [] : ["--setenv", name, value])),
    ...["--chdir", cwd ?? home],
    "--",
    ...argv,
  ];
}

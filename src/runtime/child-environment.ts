/** What a child may know of this machine: a program gets no variable of ours that its owner did not name (T12). */

const inherited = ["PATH", "HOME", "TMPDIR", "LANG"];
/** Without these most Windows programs cannot load their libraries or find their user's folders. */
const inheritedOnWindows = [
  "SystemRoot",
  "SystemDrive",
  "windir",
  "ComSpec",
  "PATHEXT",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "USERNAME",
  "HOMEDRIVE",
  "HOMEPATH",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramData",
  "ProgramFiles",
];

export function childEnvironment(configured: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of process.platform === "win32" ? [...inherited, ...inheritedOnWindows] : inherited) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return Object.assign(environment, configured);
}

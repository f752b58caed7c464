/** Variables as clients write them in their entries, turned into the configuration's own `${VAR}`. */
import type { Machine } from "../runtime/machine.ts";

export interface References {
  readonly machine: Machine;
  /** The folder the entry is for; what clients call the workspace. */
  readonly project: string | undefined;
}

/** What the text means here; `onAsked` hears of values the client asks its user for, which now have to be set. */
export function withOwnReferences(text: string, at: References, onAsked: (variable: string) => void): string {
  return text
    .replace(/\$\{\{\s*(?:secrets\.)?([\w.-]+)\s*\}\}/g, (_all, name: string) => own(name))
    .replace(/\$\{(\w+):([^}]*)\}/g, (all, kind: string, name: string) => {
      if (kind === "env" && /^\w+$/.test(name)) return own(name);
      if (kind !== "input") return all;
      onAsked(variableName(name));
      return own(name);
    })
    .replace(/\$\{(workspaceFolder|workspaceRoot|userHome|pathSeparator|\/)\}/g, (_all, name: string) => {
      if (name === "userHome") return at.machine.home;
      if (name === "pathSeparator" || name === "/") return at.machine.platform === "win32" ? "\\" : "/";
      return at.project ?? at.machine.cwd;
    });
}

function own(name: string): string {
  return `\${${/^\w+$/.test(name) ? name : variableName(name)}}`;
}

/** `github-token` → `GITHUB_TOKEN` */
export function variableName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .toUpperCase();
  return /^[A-Z_]/.test(name) ? name : `_${name}`;
}

/**
 * `sha256:` in a capability file pins the rest of it: whoever changes the file must pin it anew, or its tool is
 * withdrawn. The digest is that of the file without the lines that begin with `sha256:`.
 */
import { sha256Hex } from "../runtime/digest.ts";

const pinLine = /^sha256:.*(?:\r?\n|$)/gm;

export interface Pin {
  /** What the file says, in small letters; `undefined` when it is not pinned. */
  readonly expected: string | undefined;
  readonly actual: string;
}

export function readPin(text: string): Pin {
  const written = /^sha256:[ \t]*["']?([^\s"'#]*)/m.exec(text)?.[1];
  return { expected: written?.toLowerCase(), actual: sha256Hex(text.replace(pinLine, "")) };
}

/** The text with the pin as its first line, and no other. */
export function withPin(text: string): string {
  return `sha256: ${readPin(text).actual}\n${text.replace(pinLine, "")}`;
}

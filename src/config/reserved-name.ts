/** Names that JavaScript has for itself; what reads settings by their schemas leaves them out. */
export function isReservedName(name: string): boolean {
  return ["__proto__", "constructor", "prototype"].includes(name);
}

/** `read_file`, `readFile` and "read file" are the same name. */
export function compactName(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

/** Numbers as people read them. */

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(" | ")} |`;
  console.log(line(head));
  console.log(`|${widths.map((width, column) => `${"-".repeat(width + 1)}${column === 0 ? "-" : ":"}`).join("|")}|`);
  for (const row of rows) console.log(line(row));
  console.log("");
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function fixed(value: number | undefined, digits = 1): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}

/** `1.23 ×`, and whether it keeps the limit. */
export function ratio(value: number, limit?: { readonly atMost?: number; readonly atLeast?: number }): string {
  const isKept = value <= (limit?.atMost ?? Number.POSITIVE_INFINITY) && value >= (limit?.atLeast ?? 0);
  return `${value.toFixed(2)} ×${limit === undefined ? "" : isKept ? " ok" : " MISSED"}`;
}

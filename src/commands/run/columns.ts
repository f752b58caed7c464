/** Rows as text: numbers to the right, everything else to the left. */
export function columns(rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)));
  const widths = (texts[0] ?? []).map((_, at) => Math.max(...texts.map((row) => row[at]?.length ?? 0)));
  return texts.map((row, line) =>
    row
      .map((text, at) => {
        const isNumber = rows.some((cells, other) => (other > 0 || line > 0) && typeof cells[at] === "number");
        return isNumber ? text.padStart(widths[at] as number) : text.padEnd(widths[at] as number);
      })
      .join("  ")
      .trimEnd(),
  );
}

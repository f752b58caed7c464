const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses `500ms`, `30s`, `1h30m` or a bare number of seconds into milliseconds; `undefined` when it is neither. */
export function parseDurationMs(text: string | number): number | undefined {
  if (typeof text === "number") return Number.isFinite(text) && text >= 0 ? text * 1_000 : undefined;
  const compact = text.trim();
  if (/^\d+(\.\d+)?$/.test(compact)) return Number(compact) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d)\s*)+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, amount, , unit] of compact.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * unitsMs[unit as keyof typeof unitsMs];
  return total;
}

/** Milliseconds as {@link parseDurationMs} reads them, in the largest unit that needs no fraction: `300000` is `5m`. */
export function durationText(ms: number): string {
  const units = Object.entries(unitsMs).reverse();
  const [unit, size] = units.find(([, unitMs]) => ms !== 0 && ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

export function didYouMean(names: readonly string[]): string | undefined {
  return names.length > 0 ? `Did you mean: ${names.join(", ")}?` : undefined;
}

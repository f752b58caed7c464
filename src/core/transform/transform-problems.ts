/** What a schema cannot say of a transform. */
import { compilePattern } from "./pattern.ts";
import type { ResultTransformSettings } from "./schema.ts";

export interface TransformProblem {
  /** Place in the settings. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

export function patternProblem(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return `cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function transformProblems({ redact, format }: ResultTransformSettings): TransformProblem[] {
  const problems: TransformProblem[] = [];
  for (const [index, { pattern }] of redact.entries()) {
    const text = patternProblem(pattern);
    if (text !== undefined) problems.push({ path: ["redact", index, "pattern"], text });
  }
  if (format?.type === "template" && format.template === undefined)
    problems.push({ path: ["format"], text: 'needs "template", the text with its {path}s' });
  return problems;
}

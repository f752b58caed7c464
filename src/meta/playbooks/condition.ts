/**
 * Conditions of playbook steps: `$issues.items | length > 3`, `$inputs.mode == 'full'`, `not $check.ok`, joined by
 * `and` and `or` (`and` binds closer). A value alone is true unless it is null, false, 0, an empty text or an empty list.
 */

import { withPlainNumbers } from "../../lib/exact-json.ts";
import type { Json } from "../../lib/json.ts";
import { parseValuePath, readValuePath, type ValuePath } from "../value-path.ts";

const operators = ["==", "!=", ">=", "<=", ">", "<"] as const;
type Operator = (typeof operators)[number];

type Operand = { readonly constant: Json } | { readonly path: ValuePath; readonly isLength: boolean };

interface Comparison {
  readonly negated: boolean;
  readonly left: Operand;
  readonly operator: Operator | undefined;
  readonly right: Operand | undefined;
}

/** Any of these lists of comparisons, each of which must hold in full. */
export type Condition = readonly (readonly Comparison[])[];

const token =
  /\s*(?:(\$[A-Za-z_](?:\[(?:"[^"]*"|'[^']*')\]|[^\s|!=<>&()'"])*)|(-?\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|(\|\||&&|==|!=|>=|<=|[><|!])|([A-Za-z]+))/y;

/** @returns what is wrong, as text, when the condition cannot be understood */
export function parseCondition(text: string): Condition | string {
  const tokens: RegExpExecArray[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const from = token.lastIndex;
    const found = token.exec(text);
    if (found === null) return `cannot be understood from "${text.slice(from).trim().slice(0, 40)}" on`;
    tokens.push(found);
  }
  let at = 0;
  const symbol = (...wanted: string[]) => {
    const found = tokens[at];
    const [, , , , , sign, word] = found ?? [];
    const isIt = wanted.includes((sign ?? word ?? "") as string) && (sign ?? word) !== undefined;
    if (isIt) at++;
    return isIt ? (sign ?? word) : undefined;
  };
  const operand = (): Operand | undefined => {
    const [, path, number, single, double, , word] = tokens[at] ?? [];
    const constants: Readonly<Record<string, Json>> = { true: true, false: false, null: null };
    at++;
    if (path !== undefined) {
      const parsed = parseValuePath(path.slice(1));
      if (parsed === undefined) return undefined;
      const isLength = symbol("|") !== undefined;
      return isLength && symbol("length") === undefined ? undefined : { path: parsed, isLength };
    }
    if (number !== undefined) return { constant: Number(number) };
    if (single !== undefined || double !== undefined) return { constant: (single ?? double) as string };
    return word !== undefined && Object.hasOwn(constants, word) ? { constant: constants[word] as Json } : undefined;
  };
  const alternatives: Comparison[][] = [[]];
  for (;;) {
    const negated = symbol("!", "not") !== undefined;
    const left = operand();
    if (left === undefined)
      return 'is not of the form "$step.path", "$step.path == value" or "$step.path | length > 0"';
    const operator = symbol(...operators) as Operator | undefined;
    const right = operator === undefined ? undefined : operand();
    if (operator !== undefined && right === undefined) return `has no value after "${operator}"`;
    alternatives.at(-1)?.push({ negated, left, operator, right });
    if (at === tokens.length) return alternatives;
    if (symbol("||", "or") !== undefined) alternatives.push([]);
    else if (symbol("&&", "and") === undefined) return `is not understood at "${tokens[at]?.[0].trim()}"`;
  }
}

export function pathsIn(condition: Condition): ValuePath[] {
  const operands = condition.flat().flatMap(({ left, right }) => (right === undefined ? [left] : [left, right]));
  return operands.flatMap((operand) => ("path" in operand ? [operand.path] : []));
}

/** A path that leads nowhere is null. */
export function holds(condition: Condition, values: ReadonlyMap<string, Json>): boolean {
  const operandValue = (operand: Operand): Json => {
    if (!("path" in operand)) return operand.constant;
    const start = values.get(operand.path.head);
    const found = start === undefined ? undefined : readValuePath(start, operand.path);
    const value = found !== undefined && "value" in found ? withPlainNumbers(found.value) : null;
    return operand.isLength ? lengthOf(value) : value;
  };
  return condition.some((comparisons) =>
    comparisons.every(({ negated, left, operator, right }) => {
      const is =
        operator === undefined || right === undefined
          ? isTruthy(operandValue(left))
          : compare(operandValue(left), operator, operandValue(right));
      return is !== negated;
    }),
  );
}

function isTruthy(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function lengthOf(value: Json): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function compare(left: Json, operator: Operator, right: Json): boolean {
  if (operator === "==") return JSON.stringify(left) === JSON.stringify(right);
  if (operator === "!=") return JSON.stringify(left) !== JSON.stringify(right);
  const isOrdered = typeof left === typeof right && (typeof left === "number" || typeof left === "string");
  if (!isOrdered) return false;
  const [a, b] = [left as number, right as number];
  return operator === ">" ? a > b : operator === "<" ? a < b : operator === ">=" ? a >= b : a <= b;
}

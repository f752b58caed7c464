/**
 * How numbers that belong to somebody are written: what fits one of these is then held against its check digits. They are
 * tried on a run of digits and what stands next to it, in the JSON text of a result, where `\n` ends a word too.
 */
import { isCpf, isDni, isHetu, isNir, isPaymentCard, isPersonnummer, isResidentId } from "./check-digits.ts";
import type { ContextClass } from "./presets.ts";

export type PrivateRule = "email" | "phone" | "national-id" | "card" | "iban" | "bank-account";

/** What each tells of its owner; accounts and cards are both. */
export const classesOf: Readonly<Record<PrivateRule, readonly ContextClass[]>> = {
  email: ["personal_data"],
  phone: ["personal_data"],
  "national-id": ["personal_data"],
  card: ["personal_data", "financial"],
  iban: ["personal_data", "financial"],
  "bank-account": ["financial"],
};

export interface NumberPattern {
  readonly rule: PrivateRule;
  readonly pattern: RegExp;
  isValid(match: string): boolean;
}

const start = "(?:(?<![A-Za-z0-9_.+-])|(?<=\\\\[bfnrt])|(?<=\\\\u[0-9a-fA-F]{4}))";
const stop = "(?![A-Za-z0-9_]|[.-]\\d)";

/** @param test of the digits alone, where nothing else counts */
function number(rule: PrivateRule, form: string, test: (text: string) => boolean, marks = /\D/g): NumberPattern {
  const pattern = new RegExp(`${start}${form}${stop}`, "g");
  return { rule, pattern, isValid: (match) => test(match.replace(marks, "")) };
}

const none = /(?!)/g;
const isTelephone = (digits: string) => digits.length >= 8 && digits.length <= 15;

export const numberPatterns: readonly NumberPattern[] = [
  number("card", "\\d{4}([ -]?)\\d{4}\\1\\d{4}\\1\\d{4}", isPaymentCard),
  number("card", "3\\d{3}([ -]?)\\d{6}\\1\\d{4,5}", isPaymentCard),
  number("national-id", "[1-9]\\d{5}(?:19|20)\\d{9}[\\dX]", isResidentId, none),
  number("national-id", "[12] ?\\d\\d ?(?:0[1-9]|1[0-2]) ?\\d\\d ?\\d{3} ?\\d{3} ?\\d\\d", isNir),
  number("national-id", "\\d{3}\\.\\d{3}\\.\\d{3}-\\d\\d", isCpf),
  number("national-id", "\\d{8}-?[A-Z]", isDni, /-/g),
  number("national-id", "\\d{6}[-+A]\\d{3}[0-9A-Y]", isHetu, none),
  number("national-id", "\\d{6}[-+]\\d{4}", isPersonnummer),
  // North America without its country code, where the marks between are telling; then E.164.
  number("phone", "(?:\\([2-9]\\d\\d\\) ?|[2-9]\\d\\d-)[2-9]\\d\\d-\\d{4}", isTelephone),
  number("phone", "\\+[1-9]\\d{0,2}[ .-]?(?:\\(\\d{1,4}\\)[ .-]?)?\\d{1,4}(?:[ .-]\\d{2,8}){1,5}", isTelephone),
  number("phone", "\\+[1-9]\\d{9,14}", isTelephone),
];

/** Numbers alone, but for those with as many digits as something of somebody: timestamps, counters, measures. */
export const plainNumber = /^ {0,64}-?(?:\d{1,64}\.\d{1,64}|\d{1,13}|\d{19,64})[ .)-]{0,64}$/;

/** Country and check digits. */
export const ibanStart = /(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))[A-Z]{2}\d{2}/g;

/** In front of a number without check digits. */
export const accountName =
  /(?:account[ _-]?(?:number|no|nr)|routing[ _-]?(?:number|no)|sort[ _-]?code|kontonummer)[.:"'=\\ #]{0,8}$/i;

/** What results are judged by, and what each preset does about it. */
import type { ContextIntegritySettings } from "./schema.ts";

export type ContextClass =
  | "prompt_injection"
  | "hidden_text"
  | "credentials"
  | "personal_data"
  | "financial"
  | "destructive"
  | "escalation"
  | "exfiltration";

export interface Preset {
  /** Whether the verdict goes along with the result, in its `_meta`. */
  readonly isShown: boolean;
  /** Whether a text behind a result that speaks to the model tells it not to follow. */
  readonly isLabelled: boolean;
  readonly masked: ReadonlySet<ContextClass>;
  readonly withheld: ReadonlySet<ContextClass>;
}

const none: ReadonlySet<ContextClass> = new Set();

export const presets: Readonly<Record<ContextIntegritySettings["preset"], Preset>> = {
  monitor_only: { isShown: true, isLabelled: false, masked: none, withheld: none },
  audit_only: { isShown: false, isLabelled: false, masked: none, withheld: none },
  local_developer: { isShown: true, isLabelled: true, masked: none, withheld: none },
  team_shared: { isShown: true, isLabelled: true, masked: new Set(["personal_data", "credentials"]), withheld: none },
  enterprise_strict: {
    isShown: true,
    isLabelled: true,
    masked: new Set(["personal_data", "financial", "credentials"]),
    withheld: new Set(["prompt_injection", "exfiltration", "escalation"]),
  },
};

/** Where the model is told that it reads data. */
export const speaking: ReadonlySet<ContextClass> = new Set([
  "prompt_injection",
  "hidden_text",
  "destructive",
  "escalation",
  "exfiltration",
]);

import * as v from "valibot";
import { duration, positiveInteger, ratio, setting } from "../../core/kinds.ts";

export const errorBudgetSchema = v.object({
  enabled: setting(v.boolean(), true, "Switch a backend off for a while when most of its calls fail"),
  failure_rate: setting(ratio, 0.8, "Share of calls that may fail: without an answer, not with a tool's own error"),
  min_calls: setting(positiveInteger, 10, "Calls before the share means anything"),
  max_calls: setting(positiveInteger, 100, "Newest calls that count"),
  window: setting(duration, "5m", "Age after which a call does not count any more"),
  cool_down: setting(duration, "30s", "Time until it is tried again; 0 waits for an operator"),
});
export type ErrorBudgetSettings = v.InferOutput<typeof errorBudgetSchema>;

export const toolErrorBudgetSchema = v.object({
  enabled: setting(v.boolean(), true, "Refuse a tool for a while when most of its calls fail"),
  failure_rate: setting(ratio, 0.8, "Share of calls that may fail: by a timeout, a broken answer or an internal error"),
  min_calls: setting(positiveInteger, 5, "Calls before the share means anything"),
  max_calls: setting(positiveInteger, 50, "Newest calls that count"),
  window: setting(duration, "5m", "Age after which a call does not count any more"),
  cool_down: setting(duration, "5m", "Time until it is tried again"),
});

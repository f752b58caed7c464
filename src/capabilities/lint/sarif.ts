/** Lint results as SARIF 2.1.0, which code hosts show beside the lines. */
import { version } from "../../core/version.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { FileResult, RuleResult } from "./lint-files.ts";
import { conflictRule, rules } from "./rules.ts";

const levels = { pass: "none", warn: "warning", fail: "error" } as const;

export function sarif(files: readonly FileResult[]): JsonObject {
  const known = [...rules, conflictRule].map(({ id, name }) => ({ id, name, shortDescription: { text: name } }));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "mcp-gateway", version, rules: known.sort((a, b) => (a.id < b.id ? -1 : 1)) } },
        results: files.flatMap(({ file, capability, results, error }) =>
          error === undefined
            ? results
                .filter(({ severity }) => severity !== "pass")
                .map((result) => sarifResult(file, capability, result))
            : [{ ruleId: "parse", level: "error", message: { text: error }, locations: [location(file, 1, 1)] }],
        ),
      },
    ],
  };
}

function sarifResult(file: string, capability: string, { rule, severity, message, place }: RuleResult): JsonObject {
  const text = `${capability}: ${message}`;
  return {
    ruleId: rule,
    level: levels[severity],
    message: { text },
    locations: [location(file, place.line, place.column)],
  };
}

function location(file: string, startLine: number, startColumn: number): JsonObject {
  const uri = file.replaceAll("\\", "/");
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine, startColumn } } };
}

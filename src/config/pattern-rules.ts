/** What the schemas cannot say of settings with names and patterns in them; loaded for the files that have some. */
import type { ResultTransformSettings } from "../core/transform/schema.ts";
import { patternProblem, transformProblems } from "../core/transform/transform-problems.ts";
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import type { ParsedConfig } from "./schema.ts";

/** What clients take for the name of a tool (server/tools, "Tool Names"). */
const toolName = /^[\w.-]{1,128}$/;

export function checkPatterns(config: ParsedConfig, found: Findings): void {
  checkTransforms(config, found);
  for (const [tool, { forbidden_patterns }] of Object.entries(config.security.response_contract.tools))
    for (const [at, pattern] of forbidden_patterns.entries()) {
      const text = patternProblem(pattern);
      const path: Path = ["security", "response_contract", "tools", tool, "forbidden_patterns", at];
      if (text !== undefined) found.problems.push({ path, text });
    }
}

function checkTransforms({ backends }: ParsedConfig, found: Findings): void {
  for (const [name, { transform }] of Object.entries(backends)) {
    if (transform === undefined) continue;
    const path: Path = ["backends", name, "transform"];
    const owners = new Map<string, string>();
    for (const [own, other] of Object.entries(transform.rename)) {
      const at = [...path, "rename", own];
      if (!toolName.test(`${transform.namespace}${other}`))
        found.problems.push({ path: at, text: "is no name for a tool: 1 to 128 letters, digits, _, - and . are" });
      const before = owners.get(other);
      if (before !== undefined) found.problems.push({ path: at, text: `has the name that "${before}" gets` });
      owners.set(other, own);
    }
    checkResponse(transform.response, [...path, "response"], found);
    for (const [tool, { response }] of Object.entries(transform.tools))
      checkResponse(response, [...path, "tools", tool, "response"], found);
  }
}

function checkResponse(response: ResultTransformSettings | undefined, path: Path, found: Findings): void {
  if (response === undefined) return;
  for (const { path: at, text } of transformProblems(response)) found.problems.push({ path: [...path, ...at], text });
}

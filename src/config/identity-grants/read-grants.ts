/** Reads the file of `security.identity_grants`, whole or not at all; loaded for the configurations that have it. */
import { ConfigError } from "../../core/errors.ts";
import { readYaml, YamlError } from "../../lib/yaml-document.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { isMissing, readText } from "../../runtime/files.ts";
import { parseForgiving } from "../check-shape.ts";
import { placeText } from "../explain.ts";
import { isMap, type Path, pathText } from "../path.ts";
import type { Problem } from "../problem.ts";
import { grantsFileSchema, type WrittenGrant } from "./grants-file-schema.ts";
import type { Grant, Grants, IdentityGrantsSettings } from "./schema.ts";

export interface ReadGrants {
  readonly grants: Grants;
  readonly warnings: readonly string[];
  /** As it was read; `null` when it could not be. */
  readonly text: string | null;
}

/**
 * @param label the path of the file, as people are told it
 * @throws ConfigError with every problem and its place, where `fail_on_error` is set
 */
export async function readGrants({ path, fail_on_error }: IdentityGrantsSettings, label: string): Promise<ReadGrants> {
  let text: string | null = null;
  try {
    text = await readText(path, maxYamlBytes);
    return { grants: await grantsIn(text, label), warnings: [], text };
  } catch (error) {
    const lines = linesOf(error, label);
    if (fail_on_error) throw new ConfigError(lines.join("\n"), { cause: error });
    const consequence = `${label}  The grants of identities cannot be used: those that were read before stay, and at a start there are none`;
    return { grants: "unreadable", warnings: [...lines, consequence], text };
  }
}

/** @throws YamlError, ConfigError */
async function grantsIn(text: string, label: string): Promise<readonly Grant[]> {
  const { value, placeOf } = await readYaml(text);
  if (value !== null && !isMap(value))
    throw new ConfigError(`${label}:1:1  The file must be a map with "grants", a list`);
  const { output = { grants: [] }, problems: found } = parseForgiving(grantsFileSchema, value ?? {});
  const problems = found.length > 0 ? found : output.grants.flatMap(problemsOf);
  if (problems.length === 0)
    return output.grants.map(({ subject, email, group, servers, tools, expires_at }) => {
      const endsAt = expires_at === undefined ? undefined : timeOf(expires_at);
      return { subject, email: email?.toLowerCase(), group, servers, tools, endsAt };
    });
  const lines = problems.map(({ path, text: said }) => `${placeText(label, placeOf(path))}  ${pathText(path)} ${said}`);
  throw new ConfigError(lines.join("\n"));
}

function problemsOf({ subject, email, group, servers, expires_at }: WrittenGrant, at: number): Problem[] {
  const path: Path = ["grants", at];
  const problems: Problem[] = [];
  if ([subject, email, group].every((who) => who === undefined))
    problems.push({ path, text: 'needs "subject", "email" or "group"; for everybody, subject: "*"' });
  if (servers.length === 0) problems.push({ path, text: 'needs "servers"; for all of them, servers: ["*"]' });
  if (expires_at !== undefined && Number.isNaN(timeOf(expires_at))) {
    const text = 'must be a date such as "2030-01-31", or a time such as "2030-01-31T18:00:00Z"';
    problems.push({ path: [...path, "expires_at"], text });
  }
  return problems;
}

/** A date is its first moment, UTC. NaN for what is neither. */
function timeOf(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  return isTime ? Date.parse(text) : Number.NaN;
}

function linesOf(error: unknown, label: string): readonly string[] {
  if (error instanceof ConfigError) return error.message.split("\n");
  if (error instanceof YamlError)
    return error.problems.map(({ place, message }) => `${placeText(label, place)}  ${message}`);
  const why = isMissing(error) ? "does not exist" : `cannot be read: ${error instanceof Error ? error.message : error}`;
  return [`${label}:1:1  The file of "security.identity_grants" ${why}`];
}

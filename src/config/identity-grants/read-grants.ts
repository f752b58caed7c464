/** Reads the file of `security.identity_grants`, whole or not at all; loaded for the configurations that have it. */
import { ConfigError } from "../../core/errors.ts";
import { readYaml, YamlError } from "../../lib/yaml-document.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { isMissing, readText } from "../../runtime/files.ts";
import { parseForgiving, unknownKeys } from "../check-shape.ts";
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
    return { grants: (await writtenGrants(text, label)).map(asGrant), warnings: [], text };
  } catch (error) {
    const lines = linesOf(error, label);
    if (fail_on_error) throw new ConfigError(lines.join("\n"), { cause: error });
    const consequence = `${label}  The grants of identities cannot be used: those that were read before stay, and at a start there are none`;
    return { grants: "unreadable", warnings: [...lines, consequence], text };
  }
}

/** The rows of the file. @throws ConfigError with every problem and its place */
export async function writtenGrants(text: string, label: string): Promise<readonly WrittenGrant[]> {
  const { value, placeOf } = await readYaml(text).catch((error: unknown) => {
    throw error instanceof YamlError ? new ConfigError(yamlLines(error, label).join("\n"), { cause: error }) : error;
  });
  const file = value ?? {};
  if (!isMap(file)) throw new ConfigError(`${label}:1:1  The file must be a map with "grants", a list`);
  const { output = { grants: [] }, problems: wrong } = parseForgiving(grantsFileSchema, file);
  const found = [...unknownKeys(grantsFileSchema, file).map(inOtherWords), ...wrong];
  const problems = found.length > 0 ? found : rowProblems(output.grants);
  if (problems.length === 0) return output.grants;
  const lines = problems.map(({ path, text: said }) => `${placeText(label, placeOf(path))}  ${pathText(path)} ${said}`);
  throw new ConfigError(lines.join("\n"));
}

function asGrant({ subject, email, group, servers, tools, expires_at }: WrittenGrant): Grant {
  const endsAt = expires_at === undefined ? undefined : timeOf(expires_at);
  return { subject, email: email?.toLowerCase(), group, servers, tools, endsAt };
}

const forPeople = 'does not exist here: leave it out, or write it into "reason"';

/** Keys of rows that the product this one replaces writes, and what says the same here. */
const foreignKeys: Readonly<Record<string, string>> = {
  grant_id: 'is "id" here',
  agent: 'is a subject here: write subject: "agent:NAME", or "agent:*" for any agent',
  any_agent: 'is a subject here: write subject: "agent:*"',
  capability:
    'is a tool of a server here: write servers: ["gateway"], the name of the capabilities, and tools: ["NAME"]',
  tool: 'is a list here: write tools: ["NAME"]',
  scope: 'does not exist here: name the tools that may be used in "tools"',
  revoked_at: "does not exist here: a grant that was revoked is taken out of the file",
  owner: forPeople,
  owner_label: forPeople,
  subject_label: forPeople,
  provenance: forPeople,
};

function inOtherWords(problem: Problem): Problem {
  const [, , key, ...below] = problem.path;
  const isForeign = typeof key === "string" && below.length === 0 && Object.hasOwn(foreignKeys, key);
  return isForeign ? { ...problem, text: foreignKeys[key] as string } : problem;
}

function rowProblems(grants: readonly WrittenGrant[]): Problem[] {
  const ids = new Set<string>();
  return grants.flatMap((grant, at) => {
    const { id } = grant;
    const problems = problemsOf(grant, at);
    if (id === undefined) return problems;
    if (ids.has(id)) problems.push({ path: ["grants", at, "id"], text: `"${id}" is the id of a grant before it` });
    ids.add(id);
    return problems;
  });
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

/** Calendar milliseconds of a date, which is its first moment in UTC, or a time; NaN for what is neither. */
export function timeOf(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  return isTime ? Date.parse(text) : Number.NaN;
}

function linesOf(error: unknown, label: string): readonly string[] {
  if (error instanceof ConfigError) return error.message.split("\n");
  const why = isMissing(error) ? "does not exist" : `cannot be read: ${error instanceof Error ? error.message : error}`;
  return [`${label}:1:1  The file of "security.identity_grants" ${why}`];
}

function yamlLines({ problems }: YamlError, label: string): readonly string[] {
  return problems.map(({ place, message }) => `${placeText(label, place)}  ${message}`);
}

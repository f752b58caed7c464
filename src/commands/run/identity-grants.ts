/** Bodies of `identity grants list|grant|revoke`: on the file of the grants, whether or not a gateway runs. */
import { type NewGrant, withGrant, withoutGrant } from "../../config/identity-grants/edit-grants.ts";
import type { WrittenGrant } from "../../config/identity-grants/grants-file-schema.ts";
import { timeOf, writtenGrants } from "../../config/identity-grants/read-grants.ts";
import { loadConfig, readConfigText } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { ConfigError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { displayPath, expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { columns } from "./columns.ts";
import { sayDone } from "./say-done.ts";

interface GrantsFile {
  readonly path: string;
  /** As the user would type it. */
  readonly label: string;
  /** Empty when the file does not exist. */
  readonly text: string;
}

export async function list(input: CommandInput): Promise<number> {
  const { text, label } = await openGrants(input);
  const rows = (await writtenGrants(text, label))
    .map((grant) => ({ ...grant, expired: grant.expires_at !== undefined && timeOf(grant.expires_at) <= Date.now() }))
    .filter(({ expired }) => !expired || !input.flag("active-only"));
  let shown = `No grants in ${label}.`;
  if (input.text("format") === "json") shown = JSON.stringify(rows, undefined, 2);
  else if (rows.length > 0)
    shown = columns([
      ["ID", "WHO", "SERVERS", "TOOLS", "UNTIL", "REASON"],
      ...rows.map((row) => [
        row.id ?? "-",
        whoOf(row),
        row.servers.join(", "),
        row.tools.join(", "),
        `${row.expires_at ?? "-"}${row.expired ? " (expired)" : ""}`,
        row.reason ?? "",
      ]),
    ]).join("\n");
  await writeStdout(`${escapeHidden(shown)}\n`);
  return 0;
}

export async function grant(input: CommandInput): Promise<number> {
  const row = await newGrant(input);
  const { path, label, text } = await openGrants(input);
  const after = await withGrant(text, label, row, input.flag("replace"));
  await writeAtomic(path, after, { mode: 0o600 });
  await sayDone(escapeHidden(`Granted '${row.id}' to ${whoOf(row)} in ${label}.`));
  return 0;
}

export async function revoke(input: CommandInput): Promise<number> {
  const id = required(input, "grant-id");
  const { path, label, text } = await openGrants(input);
  await writeAtomic(path, await withoutGrant(text, label, id));
  await sayDone(escapeHidden(`Revoked '${id}' in ${label}.`));
  return 0;
}

/** What the line says. @throws UsageError */
async function newGrant(input: CommandInput): Promise<NewGrant> {
  const id = given(input, "grant-id");
  if (id === undefined && input.flag("replace"))
    throw new UsageError("--replace needs the --grant-id of what it replaces");
  return {
    id: id ?? `grant-${crypto.randomUUID().slice(0, 8)}`,
    ...whom(input),
    ...(await whatOf(input)),
    expires_at: endOf(input),
    reason: required(input, "reason"),
  };
}

function whom(input: CommandInput) {
  const agent = given(input, "agent");
  const subjects = [
    given(input, "subject"),
    agent === undefined ? undefined : `agent:${agent}`,
    input.flag("any-agent") ? "agent:*" : undefined,
  ].filter((subject) => subject !== undefined);
  const [subject] = subjects;
  if (subjects.length > 1) throw new UsageError("Give one of --subject, --agent and --any-agent: each is a subject");
  if (subject !== undefined && !/[:*]/.test(subject))
    throw new UsageError(`--subject must be AUTHORITY:SUBJECT, such as "key:${subject}", or a glob, not "${subject}"`);
  const email = given(input, "email");
  const group = given(input, "group");
  if ((subject ?? email ?? group) === undefined)
    throw new UsageError(
      'Say to whom: --subject, --agent, --any-agent, --email or --group; for everybody, --subject "*"',
    );
  return { subject, email, group };
}

async function whatOf(input: CommandInput): Promise<Pick<NewGrant, "servers" | "tools">> {
  const [servers, tools, capabilities] = ["server", "tool", "capability"].map((name) => {
    const values = input.list(name);
    if (values.includes("")) throw new UsageError(`--${name} is empty`);
    return values;
  }) as [string[], string[], string[]];
  if (capabilities.length === 0) {
    if (servers.length === 0)
      throw new UsageError('Say of what: --server or --capability; for every server, --server "*"');
    return { servers, tools: tools.length > 0 ? tools : undefined };
  }
  if (servers.length + tools.length > 0)
    throw new UsageError(
      "--capability stands for a server and its tools: without --server and --tool, or as another grant",
    );
  const { backends, capabilities: section } = await configInForce(input);
  const { enabled, name } = section;
  if (!enabled || Object.hasOwn(backends, name))
    throw new ConfigError('There are no capabilities: "capabilities.enabled" is false, or a backend has their name');
  return { servers: [name], tools: capabilities };
}

const longestTtlSeconds = 100 * 366 * 86_400;

function endOf(input: CommandInput): string | undefined {
  const [at, ttl] = [given(input, "expires-at"), given(input, "ttl-seconds")];
  if (at !== undefined && ttl !== undefined) throw new UsageError("Give --expires-at or --ttl-seconds, not both");
  if (ttl !== undefined) {
    if (!/^[1-9]\d*$/.test(ttl) || Number(ttl) > longestTtlSeconds)
      throw new UsageError(`--ttl-seconds must be a whole number from 1 to ${longestTtlSeconds}, not "${ttl}"`);
    return new Date(Date.now() + Number(ttl) * 1_000).toISOString();
  }
  if (at === undefined) return undefined;
  const time = timeOf(at);
  if (Number.isNaN(time))
    throw new UsageError(
      `--expires-at must be a date such as "2030-01-31", or a time such as "2030-01-31T18:00:00Z", not "${at}"`,
    );
  if (time <= Date.now()) throw new UsageError(`--expires-at must be in the future, not "${at}"`);
  return at;
}

/** An empty one is an error: a variable that was not set would otherwise make a grant wider than meant. */
function given(input: CommandInput, name: string): string | undefined {
  const text = input.text(name)?.trim();
  if (text === "") throw new UsageError(`--${name} is empty`);
  return text;
}

function required(input: CommandInput, name: string): string {
  const text = given(input, name);
  if (text === undefined) throw new UsageError(`--${name} is missing`);
  return text;
}

function whoOf({ subject, email, group }: Pick<WrittenGrant, "subject" | "email" | "group">): string {
  return [subject, email && `email ${email}`, group && `group ${group}`].filter(Boolean).join(", ");
}

/** @throws ConfigError when it exists and cannot be read */
async function openGrants(input: CommandInput): Promise<GrantsFile> {
  const cwd = workingDirectory();
  const named = given(input, "path");
  const path =
    named === undefined
      ? (await configInForce(input)).security.identity_grants.path
      : resolve(cwd, expandHome(named, environment()));
  const label = displayPath(path, cwd);
  return { path, label, text: (await exists(path)) ? await readConfigText(path, label) : "" };
}

/** As if it asked for grants, and whether or not their file can be read: it is here to be made and mended. */
async function configInForce({ global }: CommandInput): Promise<Config> {
  const from = "identity grants";
  const path = ["security", "identity_grants"];
  const overrides = [
    ...global.overrides,
    { path: [...path, "enabled"], value: true, from },
    { path: [...path, "fail_on_error"], value: false, from },
  ];
  return (await loadConfig({ path: global.config, env: environment(), cwd: workingDirectory(), overrides })).config;
}

/** Changes of the configuration file: comments stay, what is written is in force when the answer comes. */
import { addBackend, removeBackend } from "../../../config/edit.ts";
import { setBackendSetting } from "../../../config/edit-setting.ts";
import { readConfigText } from "../../../config/load.ts";
import { ConfigError, GatewayError } from "../../../core/errors.ts";
import { actorOf } from "../../../core/security-event.ts";
import type { ReloadOutcome } from "../../../gateway/gateway.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { writeAtomic } from "../../../runtime/files.ts";
import { Refusal, sendEmpty, sendJson } from "../respond.ts";
import { assertProven } from "./assert-proven.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { notThere } from "./status-routes.ts";

export const fileRoutes: readonly ManagementRoute[] = [
  { method: "POST", path: "/ui/api/reload", who: "operator", isWhole: true, run: reload },
  { method: "POST", path: "/ui/api/backends", who: "admin", run: add },
  { method: "PATCH", path: "/ui/api/backends/:name", who: "admin", run: change },
  { method: "DELETE", path: "/ui/api/backends/:name", who: "admin", run: remove },
];

/** One change of the file at a time, so that none undoes another. */
let lastChange: Promise<unknown> = Promise.resolve();

function fileOf({ gateway }: Task) {
  const { configFile } = gateway.operation;
  if (configFile !== undefined) return configFile;
  throw new Refusal(503, "The gateway runs without a configuration file", {
    hint: 'Start it with --config; "mcp-gateway init" writes a file',
  });
}

type Change = (text: string, label: string) => Promise<string>;

/** @param done what was done to the backend, for the journal */
function edit(task: Task, server: string, done: string, change: Change): Promise<ReloadOutcome> {
  const { path, reload } = fileOf(task);
  const { gateway, visit } = task;
  const result = lastChange.then(async () => {
    const text = await change(await readConfigText(path, path), path);
    await writeAtomic(path, text).catch((error: Error) => {
      throw new Refusal(503, `The configuration file cannot be written: ${error.message}`, {
        hint: "Mount it with its folder so that it can be changed, or edit it where it comes from",
      });
    });
    const by = actorOf(visit.caller);
    gateway.controlPlane.note({ action: "configuration-changed", by, server, detail: `Backend ${done}` });
    return reload();
  });
  lastChange = result.catch(() => {});
  return result.catch((error: unknown) => {
    if (error instanceof GatewayError) error.redact(task.gateway.operation.redact);
    throw error;
  });
}

function outcomeView({ changes, restart_required, restart_reason }: ReloadOutcome): JsonObject {
  return { changes, restart_required, restart_reason: restart_reason ?? null };
}

async function reload(task: Task): Promise<JsonObject> {
  const { gateway, visit } = task;
  const file = fileOf(task);
  gateway.log.info("The configuration is read again for an operator", { caller: visit.caller.name });
  try {
    return { status: "ok", ...outcomeView(await file.reload()) };
  } catch (error) {
    if (error instanceof ConfigError) error.redact(gateway.operation.redact);
    throw error;
  }
}

const addable = ["command", "url", "description", "env"];

async function add(task: Task): Promise<Response> {
  assertProven(task, "Backends are added and removed");
  const { gateway, body, visit } = task;
  const { name, ...entry } = body;
  if (typeof name !== "string" || name === "") throw new Refusal(422, '"name" is missing');
  const stray = Object.keys(entry).find((setting) => !addable.includes(setting));
  if (stray !== undefined) throw new Refusal(422, `"${stray.slice(0, 100)}" cannot be set here: ${addable.join(", ")}`);
  if (Object.hasOwn(gateway.config.backends, name)) throw new Refusal(409, `There is a backend "${name}" already`);
  gateway.log.info("A backend is added by an operator", { server: name, caller: visit.caller.name });
  const outcome = await edit(task, name, "added", (text, label) => addBackend(text, label, name, entry));
  return sendJson(visit, 201, JSON.stringify({ status: "created", name, reload: outcomeView(outcome) }));
}

async function remove(task: Task): Promise<Response> {
  assertProven(task, "Backends are added and removed");
  const name = configuredName(task);
  task.gateway.log.info("A backend is removed by an operator", { server: name, caller: task.visit.caller.name });
  await edit(task, name, "removed", (text, label) => removeBackend(text, label, name));
  return sendEmpty(task.visit, 204);
}

/** Switching runs nothing that was not in the file before, so it needs no more than admin rights. */
async function change(task: Task): Promise<JsonObject> {
  const { gateway, body, visit } = task;
  const name = configuredName(task);
  const { enabled, ...rest } = body;
  if (typeof enabled !== "boolean" || Object.keys(rest).length > 0)
    throw new Refusal(422, 'The only setting that can be changed here is "enabled", true or false', {
      hint: "Edit the configuration file for the others: it is watched",
    });
  gateway.log.info("A backend is switched by an operator", { server: name, enabled, caller: visit.caller.name });
  const outcome = await edit(task, name, enabled ? "enabled" : "disabled", (text, label) =>
    setBackendSetting(text, label, name, "enabled", enabled),
  );
  return { backend: name, enabled, ...outcomeView(outcome) };
}

function configuredName({ gateway, names }: Task): string {
  const name = names["name"] as string;
  return Object.hasOwn(gateway.config.backends, name) ? name : notThere(name);
}

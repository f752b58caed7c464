/** The questions of the wizard, asked on a terminal. */
import { consola } from "consola";
import type { FoundServer } from "../../setup/found-server.ts";

/** The servers chosen, all of them unless told otherwise; `undefined` when the user broke off. */
export async function chooseServers(
  servers: readonly FoundServer[],
  shown: (server: FoundServer) => string,
): Promise<FoundServer[] | undefined> {
  const options = servers.map((server) => ({ value: server.name, label: server.name, hint: shown(server) }));
  const chosen: unknown = await consola.prompt("Which servers should the gateway have?", {
    type: "multiselect",
    options,
    initial: servers.map(({ name }) => name),
    required: false,
    cancel: "null",
  });
  if (!Array.isArray(chosen)) return undefined;
  // Depending on the version an option or its value.
  const names = chosen.map((one: unknown) =>
    typeof one === "object" && one !== null ? (one as { value: unknown }).value : one,
  );
  return servers.filter(({ name }) => names.includes(name));
}

/** Yes unless told otherwise; `undefined` when the user broke off. */
export async function askToContinue(question: string): Promise<boolean | undefined> {
  const answer: unknown = await consola.prompt(question, { type: "confirm", initial: true, cancel: "null" });
  return typeof answer === "boolean" ? answer : undefined;
}

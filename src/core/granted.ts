/** The refusal of what nobody granted, in the same words for what exists and for what does not. */
import type { Caller } from "./caller.ts";
import { DeniedError } from "./errors.ts";

/** `undefined` where grants are not what is in the way. */
export function notGranted({ name, grants }: Caller, server: string, tool?: string): DeniedError | undefined {
  if (grants === undefined || grants.allow(server, tool)) return undefined;
  const { subject, path } = grants.missing;
  const target = tool === undefined ? `server "${server}"` : `tool "${tool}" of server "${server}"`;
  const tools = tool === undefined ? {} : { tools: [tool] };
  const file = path.split(/[\\/]/).at(-1);
  const grant = JSON.stringify({ subject, servers: [server], ...tools });
  return new DeniedError("NOT_GRANTED", `Nobody has granted caller "${name}" the use of ${target}`, {
    // Where the file is concerns no client.
    hint:
      subject === ""
        ? `An operator can do so in ${file}, once the caller is somebody: its key needs a name`
        : `An operator can do so with a line in ${file}: - ${grant}`,
    data: { server },
  });
}

/** The `instructions` of `initialize`: hosts show them to the model, some only the first 512 characters. */
import { domains } from "./domains.ts";
import type { MetaContext } from "./meta-tool.ts";
import { shorten } from "./shorten.ts";
import { countInWords, visibleServers } from "./visible.ts";

const maxBytes = 2_048;
const maxDescription = 100;
/** Leaves room for the sentences around the names within 512 characters. */
const domainTokens = 70;

export function instructions(context: MetaContext): string {
  const servers = visibleServers(context).filter(({ enabled }) => enabled);
  const tools = `${countInWords(context, servers) || "the"} tools`;
  const [search, execution] = context.settings.codeMode.enabled
    ? ["gateway_search", "gateway_execute {tool, arguments}"]
    : ["gateway_search_tools", "gateway_invoke {server, tool, arguments}"];
  let text =
    `Behind this gateway are ${tools} of: ${domains(servers, domainTokens)}. They are not listed one by one. ` +
    `Whenever a task may need one of them, call ${search} first, with one action at a time as verb + ` +
    `object ("create issue", "read file"), then run the match with ${execution}.`;
  const encoder = new TextEncoder();
  let left = maxBytes - encoder.encode(text).length - 12;
  const lines: string[] = [];
  for (const { name, description } of servers) {
    if (description === "") continue;
    const line = `\n- ${shorten(name, 64)}: ${shorten(description, maxDescription)}`;
    const bytes = encoder.encode(line).length;
    if (bytes > left) continue;
    left -= bytes;
    lines.push(line);
  }
  if (lines.length > 0) text += `\n\nServers:${lines.join("")}`;
  return text;
}

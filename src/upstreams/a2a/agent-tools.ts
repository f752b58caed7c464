/**
 * An agent as tools: one for each skill of its card, and `send_message`. A2A has no way to call a skill, only messages
 * that the agent reads; so all of them send the same message, and the skill's id goes along as metadata.
 */
import type { JsonObject } from "../../lib/json.ts";
import type { AgentCard, AgentSkill } from "./agent-card.ts";

export interface AgentTool {
  /** As `tools/list` shows it. */
  readonly listed: JsonObject;
  readonly skill: AgentSkill | undefined;
}

const generalName = "send_message";
/** Of MCP (server/tools of 2025-11-25, "Tool Names"), with room for a number. */
const maxNameLength = 120;
const shownExamples = 3;
const text = (description: string) => ({ type: "string", description });

const inputSchema = {
  type: "object",
  properties: {
    message: text("What the agent is to do or to know, complete: it sees nothing of this conversation"),
    context_id: text("To go on with a conversation: the context_id of its last result"),
    task_id: text("To answer what a task asked for: the task_id of that result"),
    data: { type: "object", description: "Structured input, where the agent wants some" },
    files: {
      type: "array",
      description: "Files for the agent, each with its bytes or its URL",
      items: {
        type: "object",
        properties: {
          name: { type: "string" },
          mime_type: { type: "string" },
          base64: { type: "string" },
          url: { type: "string" },
        },
        additionalProperties: false,
      },
    },
  },
  required: ["message"],
  additionalProperties: false,
};

/** By name, in the order of the card. */
export function agentTools(card: AgentCard): ReadonlyMap<string, AgentTool> {
  const tools = new Map<string, AgentTool>();
  for (const skill of card.skills) {
    const name = freeName(skill.id, tools);
    const { tags } = skill;
    const listed = {
      name,
      title: skill.name,
      description: describeSkill(skill, card),
      inputSchema,
      annotations: { title: skill.name, openWorldHint: true },
      ...(tags.length > 0 && { _meta: { "mcp-gateway/keywords": tags } }),
    };
    tools.set(name, { listed, skill });
  }
  if (!tools.has(generalName)) {
    const description =
      `Sends a message to the agent "${card.name}" and returns its answer. ${card.description}`.trim();
    const listed = { name: generalName, description, inputSchema, annotations: { openWorldHint: true } };
    tools.set(generalName, { listed, skill: undefined });
  }
  return tools;
}

function describeSkill({ name, description, examples }: AgentSkill, card: AgentCard): string {
  const shown = examples.slice(0, shownExamples).map((example) => `\nExample: ${example}`);
  const what = description === "" ? name : `${name}: ${description}`;
  return `${what}${shown.join("")}\nDone by the agent "${card.name}".`;
}

function freeName(id: string, taken: ReadonlyMap<string, unknown>): string {
  const safe = id.replaceAll(/[^\w.-]+/g, "_").slice(0, maxNameLength);
  let name = safe;
  for (let number = 2; taken.has(name); number++) name = `${safe}_${number}`;
  return name;
}

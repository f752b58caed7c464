/** A category of capabilities as a skill: when to use it, which tools there are, and a page with the arguments of each. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { skillFile } from "./skill.ts";

export interface BundledTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema: JsonObject;
  readonly readsOnly: boolean;
  /** Variables and logins it cannot do without. */
  readonly needs: readonly string[];
}

export interface Bundle {
  /** `mcp-gateway-CATEGORY`, also the name of its folder. */
  readonly name: string;
  readonly files: ReadonlyMap<string, string>;
}

/** Says of a folder that it was generated, and as what. */
export const manifestFile = "crust.json";

const prefix = "mcp-gateway-";
/** Aliases make it the name of the capability backend in every configuration. */
const server = "gateway";
const maxName = 64;
const maxDescription = 1_000;
const maxSummary = 120;

export function bundleName(category: string): string {
  const plain = category
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `${prefix}${plain || "general"}`.slice(0, maxName).replace(/-$/, "");
}

/** @param version of the program, for the manifest */
export function renderBundle(name: string, tools: readonly BundledTool[], version: string): Bundle {
  const category = name.slice(prefix.length);
  const description = describe(category, tools);
  const pages = tools.map((tool): [string, string] => [`commands/${tool.name}.md`, pageOf(tool)]);
  const manifest = { name, description, version, kind: "generated", commands: tools.map((tool) => tool.name) };
  return {
    name,
    files: new Map([
      [skillFile, mainPage(name, category, description, tools)],
      ...pages,
      [manifestFile, `${JSON.stringify(manifest, undefined, 2)}\n`],
    ]),
  };
}

/** What an agent decides by: as many tools as fit, each with what it does. */
function describe(category: string, tools: readonly BundledTool[]): string {
  const start = `Tools for ${category} through MCP Gateway. Use when a task needs one of them: `;
  const parts: string[] = [];
  let length = start.length;
  for (const tool of tools) {
    const part = `${tool.name} (${summaryOf(tool)})`;
    length += part.length + 2;
    if (length > maxDescription - 20) return `${start}${parts.join("; ")}; and ${tools.length - parts.length} more`;
    parts.push(part);
  }
  return `${start}${parts.join("; ")}`;
}

function mainPage(name: string, category: string, description: string, tools: readonly BundledTool[]): string {
  const first = tools[0] as BundledTool;
  const rows = tools.map((tool) => {
    const names = argumentsOf(tool).map(({ name, isRequired }) => (isRequired ? name : `${name}?`));
    const marks = [...(tool.readsOnly ? [] : ["changes something"]), ...tool.needs.map((need) => `needs ${need}`)];
    const what = [summaryOf(tool), ...marks].join("; ");
    return `| [\`${tool.name}\`](commands/${tool.name}.md) | ${cell(what)} | ${cell(names.map((each) => `\`${each}\``).join(", "))} |`;
  });
  return `---
name: ${name}
description: ${JSON.stringify(description)}
---

# Tools for ${category}

1. Choose a tool from the table. Arguments with \`?\` may be left out.
2. Read its page in \`commands/\`: it has every argument and an example.
3. Call it. Before a tool that changes something, ask the user unless they asked for exactly that.

| Tool | What it does | Arguments |
| --- | --- | --- |
${rows.join("\n")}

## How to call them

Where MCP Gateway is connected as an MCP server, call its tool \`gateway_invoke\`:

\`\`\`json
${invocation(first)}
\`\`\`

From a shell, without a connection:

\`\`\`sh
${commandLine(first)}
\`\`\`

A call that fails says what to correct. \`mcp-gateway tool inspect NAME\` prints the arguments as they are now.
`;
}

function pageOf(tool: BundledTool): string {
  const rows = argumentsOf(tool).map(({ name, isRequired, schema }) => {
    const { type, description, enum: choices, default: fallback, minimum, maximum } = schema;
    const facts = [
      Array.isArray(type) ? type.join(" or ") : String(type ?? "any"),
      isRequired ? "required" : "optional",
      ...(minimum === undefined ? [] : [`at least ${minimum}`]),
      ...(maximum === undefined ? [] : [`at most ${maximum}`]),
      ...(fallback === undefined ? [] : [`default \`${JSON.stringify(fallback)}\``]),
    ];
    const choice = Array.isArray(choices) ? `one of ${choices.map((each) => `\`${String(each)}\``).join(", ")}` : "";
    const told = [typeof description === "string" ? oneLine(description).replace(/\.$/, "") : "", choice];
    return `- \`${name}\` (${facts.join(", ")}): ${told.filter((part) => part !== "").join("; ")}`.replace(/: $/, "");
  });
  const needs = tool.needs.length === 0 ? "" : `\nThe operator has to provide ${tool.needs.join(" and ")}.\n`;
  const effect = tool.readsOnly ? "It only reads." : "It changes something: ask before calling it.";
  return `# ${tool.name}

${tool.description.trim()}

${effect}
${needs}
## Arguments

${rows.length === 0 ? "None." : rows.join("\n")}

## Example

Through \`gateway_invoke\`:

\`\`\`json
${invocation(tool)}
\`\`\`

From a shell:

\`\`\`sh
${commandLine(tool)}
\`\`\`
`;
}

function invocation(tool: BundledTool): string {
  return JSON.stringify({ server, tool: tool.name, arguments: exampleArguments(tool) }, undefined, 2);
}

function commandLine(tool: BundledTool): string {
  const args = exampleArguments(tool);
  if (Object.keys(args).length === 0) return `mcp-gateway tool invoke ${tool.name}`;
  return `mcp-gateway tool invoke ${tool.name} --args '${JSON.stringify(args).replaceAll("'", "'\\''")}'`;
}

/** Of what it cannot do without; where the schema has no example, the name in angle brackets says what goes there. */
function exampleArguments(tool: BundledTool): JsonObject {
  const required = argumentsOf(tool).filter(({ isRequired }) => isRequired);
  return Object.fromEntries(required.map(({ name, schema }) => [name, exampleOf(name, schema)]));
}

function exampleOf(name: string, schema: JsonObject): Json {
  const { examples, example, default: fallback, enum: choices, type, items, minimum } = schema;
  const given = (Array.isArray(examples) ? examples[0] : example) ?? fallback;
  if (given !== undefined) return given;
  if (Array.isArray(choices) && choices[0] !== undefined) return choices[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case "integer":
    case "number":
      return typeof minimum === "number" ? minimum : 1;
    case "boolean":
      return true;
    case "array":
      return [exampleOf(name, isJsonObject(items) ? items : {})];
    case "object":
      return {};
    default:
      return `<${name}>`;
  }
}

interface Argument {
  readonly name: string;
  readonly isRequired: boolean;
  readonly schema: JsonObject;
}

/** Those it cannot do without first. */
function argumentsOf({ inputSchema: { properties, required } }: BundledTool): Argument[] {
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(isJsonObject(properties) ? properties : {})
    .map(([name, schema]) => ({ name, isRequired: needed.includes(name), schema: isJsonObject(schema) ? schema : {} }))
    .sort((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

/** The first sentence, or as much of it as a table has room for. */
function summaryOf({ description }: BundledTool): string {
  const sentence = (oneLine(description).split(/(?<=[.!?])\s/, 1)[0] as string).replace(/[.!?]$/, "");
  return sentence.length <= maxSummary ? sentence : `${sentence.slice(0, maxSummary - 1).trimEnd()}…`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/**
 * Patterns that tell MCP in the traffic of a network, for those who look for servers nobody told them of: ready for
 * grep over captures, for nginx in front of an egress, or for a data-loss-prevention product that takes YAML.
 */

interface TrafficRule {
  readonly id: string;
  readonly description: string;
  /** An extended regular expression over the body of a request. */
  readonly pattern: string;
}

const method = (name: string) => `"method"[[:space:]]*:[[:space:]]*"${name}"`;

const trafficRules: readonly TrafficRule[] = [
  { id: "mcp-initialize", description: "A session is opened", pattern: method("initialize") },
  { id: "mcp-initialized", description: "A session is open", pattern: method("notifications/initialized") },
  {
    id: "mcp-protocol",
    description: "A revision is agreed",
    pattern: '"protocolVersion"[[:space:]]*:[[:space:]]*"202[4-9]',
  },
  { id: "mcp-tools-list", description: "Tools are listed", pattern: method("tools/list") },
  { id: "mcp-tools-call", description: "A tool is called", pattern: method("tools/call") },
  { id: "mcp-resources-list", description: "Resources are listed", pattern: method("resources/list") },
  { id: "mcp-resources-read", description: "A resource is read", pattern: method("resources/read") },
  { id: "mcp-prompts", description: "Prompts are used", pattern: method("prompts/(list|get)") },
  { id: "mcp-sampling", description: "A server asks a model", pattern: method("sampling/createMessage") },
  { id: "mcp-roots", description: "A server asks for folders", pattern: method("roots/list") },
];

const ruleFormats = ["grep", "nginx", "haproxy", "yaml"] as const;

export function trafficRulesAs(format: (typeof ruleFormats)[number]): string {
  switch (format) {
    case "grep":
      return trafficRules.map(({ description, pattern }) => `# ${description}\ngrep -E '${pattern}'\n`).join("");
    case "yaml":
      return `dlp_rules:\n${trafficRules.map(yamlRule).join("")}`;
    default:
      return nginxRules();
  }
}

function yamlRule({ id, description, pattern }: TrafficRule): string {
  return `  - id: ${id}\n    description: ${description}\n    pattern: '${perl(pattern)}'\n    action: alert\n`;
}

/** `map` needs a variable per request; the answer is a header, so that nothing is cut off by looking. */
function nginxRules(): string {
  const lines = trafficRules.map(({ id, pattern }) => `    '~${perl(pattern)}' ${id};`);
  return [
    "# In http {}. The body is there where it is read: with proxy_pass, and client_body_in_single_buffer on.",
    "map $request_body $mcp_traffic {",
    "    default '';",
    ...lines,
    "}",
    "# In location {}:",
    "if ($mcp_traffic) {",
    "    add_header X-MCP-Traffic $mcp_traffic always;",
    "}",
    "",
  ].join("\n");
}

function perl(pattern: string): string {
  return pattern.replaceAll("[[:space:]]", "\\s");
}

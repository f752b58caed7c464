/** The files `init` writes. */

const server = `server:
  host: 127.0.0.1          # only this machine; see auth below before opening it to others
  port: 39400
`;

const example = `  # files:
  #   command: npx -y @modelcontextprotocol/server-filesystem /path/to/folder
  #   description: Read and write files of one folder
`;

export const localTemplate = `# MCP Gateway: one address for all your MCP servers and REST APIs.
# Every setting that is not here has a sensible default. "mcp-gateway config schema" prints all of them
# for your editor, "mcp-gateway validate" checks this file, and a running gateway follows every change to it.

${server}
# What clients see: four tools that search and call all others, instead of hundreds of tools.
meta_mcp:
  enabled: true
  cache_tools: true        # search works while servers sleep
  cache_ttl: 300s

# APIs and programs as tools, one YAML file each. Changes are picked up at once.
capabilities:
  enabled: true
  directories:
    - capabilities

# Ask clients for a token. A must when the gateway is reachable from other machines.
# auth:
#   enabled: true
#   bearer_token: env:MCP_GATEWAY_TOKEN

# The servers behind the gateway. Each starts when it is first needed.
# Add one by hand, or with: mcp-gateway add NAME -- COMMAND ARGS
backends:
${example}  #
  # search:
  #   command: npx -y tavily-mcp
  #   description: Search the web
  #   env:
  #     TAVILY_API_KEY: \${TAVILY_API_KEY}
  #   stop_when_idle_for: 10m
  #
  # docs:
  #   http_url: https://mcp.context7.com/mcp
  #   description: Documentation of libraries
`;

export const minimalTemplate = `# MCP Gateway. "mcp-gateway config schema" prints every setting there is.

${server}
meta_mcp:
  enabled: true
  cache_tools: true
  cache_ttl: 300s

capabilities:
  enabled: true
  directories:
    - capabilities

# The servers behind the gateway: mcp-gateway add NAME -- COMMAND ARGS
backends:
${example}`;

/**
 * Servers that `add NAME` knows by name alone. The packages are those of the vendor or of the protocol's own
 * organisation where there are any. `${VAR}` without a default is what the user has to provide.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as the configuration has them
import type { Settings } from "../config/path.ts";

export interface KnownServer {
  readonly category: string;
  readonly description: string;
  /** One line, as the configuration has it. */
  readonly command?: string;
  readonly http_url?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The entry for `backends`. */
export function knownServerEntry({ category: _category, ...entry }: KnownServer): Settings {
  const { description, command, http_url, env, headers } = entry;
  return {
    ...(command === undefined ? { http_url } : { command }),
    description,
    ...(env !== undefined && { env }),
    ...(headers !== undefined && { headers }),
  };
}

/** Names of the variables that the user has to set. */
export function requiredVariables({ command = "", http_url = "", env = {}, headers = {} }: KnownServer): string[] {
  const texts = [command, http_url, ...Object.values(env), ...Object.values(headers)];
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as string)))];
}

/** Handed to the server under the name it has for the user. */
function same(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `\${${name}}`]));
}

const google = (id: string, secret: string) => ({
  GOOGLE_OAUTH_CLIENT_ID: `\${${id}}`,
  GOOGLE_OAUTH_CLIENT_SECRET: `\${${secret}}`,
});

export const knownServers: Readonly<Record<string, KnownServer>> = {
  tavily: {
    category: "search",
    description: "Search the web and read pages",
    command: "npx -y tavily-mcp",
    env: same("TAVILY_API_KEY"),
  },
  "brave-search": {
    category: "search",
    description: "Search the web, news, images and places",
    command: "npx -y @brave/brave-search-mcp-server",
    env: same("BRAVE_API_KEY"),
  },
  exa: {
    category: "search",
    description: "Search the web by meaning",
    command: "npx -y exa-mcp-server",
    env: same("EXA_API_KEY"),
  },
  perplexity: {
    category: "search",
    description: "Ask questions that are answered from the web, with sources",
    command: "npx -y @perplexity-ai/mcp-server",
    env: same("PERPLEXITY_API_KEY"),
  },
  filesystem: {
    category: "filesystem",
    description: "Read, search and change files below a folder",
    command: "npx -y @modelcontextprotocol/server-filesystem .",
  },
  "everything-search": {
    category: "filesystem",
    description: "Find files on the whole machine by name",
    command: "uvx mcp-server-everything-search",
  },
  postgres: {
    category: "database",
    description: "Look at the schema of a PostgreSQL database and query it",
    command: "npx -y @modelcontextprotocol/server-postgres ${POSTGRES_URL}",
  },
  sqlite: {
    category: "database",
    description: "Query and change an SQLite database",
    command: "uvx mcp-server-sqlite --db-path ${SQLITE_PATH:-data.db}",
  },
  surrealdb: {
    category: "database",
    description: "Query and change a SurrealDB database",
    command: "uvx surreal-mcp",
    env: same("SURREAL_URL"),
  },
  mysql: {
    category: "database",
    description: "Look at the schema of a MySQL database and query it",
    command: "npx -y @benborla29/mcp-server-mysql",
    env: same("MYSQL_HOST", "MYSQL_USER", "MYSQL_PASS", "MYSQL_DB"),
  },
  redis: {
    category: "database",
    description: "Read and write keys of a Redis database",
    command: "npx -y @modelcontextprotocol/server-redis ${REDIS_URL:-redis://localhost:6379}",
  },
  github: {
    category: "dev-tools",
    description: "Repositories, issues, pull requests and actions on GitHub",
    http_url: "https://api.githubcopilot.com/mcp/",
    headers: { Authorization: "Bearer ${GITHUB_TOKEN}" },
  },
  gitlab: {
    category: "dev-tools",
    description: "Projects, merge requests, issues and pipelines on GitLab",
    command: "npx -y @zereight/mcp-gitlab",
    env: {
      GITLAB_PERSONAL_ACCESS_TOKEN: "${GITLAB_TOKEN}",
      GITLAB_API_URL: "${GITLAB_API_URL:-https://gitlab.com/api/v4}",
    },
  },
  linear: {
    category: "dev-tools",
    description: "Issues, projects and cycles in Linear",
    http_url: "https://mcp.linear.app/mcp",
    headers: { Authorization: "Bearer ${LINEAR_API_KEY}" },
  },
  sentry: {
    category: "dev-tools",
    description: "Errors, traces and releases in Sentry",
    command: "npx -y @sentry/mcp-server --organization-slug=${SENTRY_ORG}",
    env: { SENTRY_ACCESS_TOKEN: "${SENTRY_AUTH_TOKEN}" },
  },
  jira: {
    category: "dev-tools",
    description: "Search, read and change Jira issues",
    command: "uvx mcp-atlassian",
    env: {
      JIRA_URL: "https://${JIRA_HOST}",
      JIRA_USERNAME: "${JIRA_EMAIL}",
      JIRA_API_TOKEN: "${JIRA_API_TOKEN}",
    },
  },
  git: {
    category: "dev-tools",
    description: "History, differences and commits of local Git repositories",
    command: "uvx mcp-server-git",
  },
  asana: {
    category: "productivity",
    description: "Tasks and projects in Asana",
    command: "npx -y @roychri/mcp-server-asana",
    env: same("ASANA_ACCESS_TOKEN"),
  },
  aws: {
    category: "cloud",
    description: "Everything the AWS command line can do",
    command: "uvx awslabs.aws-api-mcp-server@latest",
    env: {
      ...same("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
      AWS_REGION: "${AWS_REGION:-us-east-1}",
    },
  },
  "cloudflare-workers": {
    category: "cloud",
    description: "Workers, KV, R2 and D1 on Cloudflare",
    command: "npx -y @cloudflare/mcp-server-cloudflare run ${CLOUDFLARE_ACCOUNT_ID}",
    env: same("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"),
  },
  gcp: {
    category: "cloud",
    description: "Everything the Google Cloud command line can do",
    command: "npx -y @google-cloud/gcloud-mcp",
    env: same("GOOGLE_APPLICATION_CREDENTIALS"),
  },
  memory: {
    category: "memory",
    description: "A knowledge graph that outlives conversations",
    command: "npx -y @modelcontextprotocol/server-memory",
  },
  pieces: {
    category: "memory",
    description: "Long-term memory of the Pieces desktop app",
    http_url: "http://localhost:39300/model_context_protocol/2024-11-05/sse",
  },
  slack: {
    category: "communication",
    description: "Read and write in Slack channels",
    command: "npx -y @modelcontextprotocol/server-slack",
    env: same("SLACK_BOT_TOKEN", "SLACK_TEAM_ID"),
  },
  discord: {
    category: "communication",
    description: "Read and write in Discord channels",
    command: "npx -y mcp-discord",
    env: same("DISCORD_TOKEN"),
  },
  gmail: {
    category: "communication",
    description: "Search, read and send mail with Gmail",
    command: "uvx workspace-mcp --single-user --tools gmail",
    env: google("GMAIL_CLIENT_ID", "GMAIL_CLIENT_SECRET"),
  },
  "google-calendar": {
    category: "productivity",
    description: "Look up and plan events in Google Calendar",
    command: "uvx workspace-mcp --single-user --tools calendar",
    env: google("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
  },
  "google-drive": {
    category: "productivity",
    description: "Search and read files in Google Drive",
    command: "uvx workspace-mcp --single-user --tools drive",
    env: google("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
  },
  "google-sheets": {
    category: "productivity",
    description: "Read and write Google Sheets",
    command: "uvx workspace-mcp --single-user --tools sheets",
    env: google("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
  },
  notion: {
    category: "productivity",
    description: "Search, read and write pages and databases in Notion",
    command: "npx -y @notionhq/notion-mcp-server",
    env: { NOTION_TOKEN: "${NOTION_API_KEY}" },
  },
  airtable: {
    category: "productivity",
    description: "Read and write Airtable bases",
    command: "npx -y airtable-mcp-server",
    env: same("AIRTABLE_API_KEY"),
  },
  context7: {
    category: "knowledge",
    description: "Documentation of libraries, for the version in use",
    http_url: "https://mcp.context7.com/mcp",
  },
  fetch: {
    category: "knowledge",
    description: "Read web pages as Markdown",
    command: "uvx mcp-server-fetch",
  },
  wikipedia: {
    category: "knowledge",
    description: "Search and read Wikipedia",
    command: "uvx wikipedia-mcp",
  },
  time: {
    category: "knowledge",
    description: "The time anywhere, and conversions between time zones",
    command: "uvx mcp-server-time",
  },
  "sequential-thinking": {
    category: "ai-tools",
    description: "Think a problem through step by step, with revisions and branches",
    command: "npx -y @modelcontextprotocol/server-sequential-thinking",
  },
  openai: {
    category: "ai-tools",
    description: "Hand tasks to OpenAI's Codex",
    command: "npx -y @openai/codex mcp-server",
    env: same("OPENAI_API_KEY"),
  },
  puppeteer: {
    category: "code",
    description: "Drive a browser with Puppeteer",
    command: "npx -y @modelcontextprotocol/server-puppeteer",
  },
  playwright: {
    category: "code",
    description: "Drive a browser with Playwright",
    command: "npx -y @playwright/mcp@latest",
  },
  semgrep: {
    category: "security",
    description: "Scan code for vulnerabilities",
    command: "uvx semgrep-mcp",
    env: same("SEMGREP_APP_TOKEN"),
  },
  "1password": {
    category: "security",
    description: "Items and secrets of 1Password vaults",
    command: "npx -y @takescake/1password-mcp",
    env: same("OP_SERVICE_ACCOUNT_TOKEN"),
  },
  stripe: {
    category: "finance",
    description: "Customers, payments and invoices in Stripe",
    command: "npx -y @stripe/mcp",
    env: same("STRIPE_SECRET_KEY"),
  },
  datadog: {
    category: "monitoring",
    description: "Metrics, logs, monitors and incidents in Datadog",
    command: "npx -y @winor30/mcp-server-datadog",
    env: { DATADOG_API_KEY: "${DD_API_KEY}", DATADOG_APP_KEY: "${DD_APP_KEY}" },
  },
  pagerduty: {
    category: "monitoring",
    description: "Incidents, schedules and services in PagerDuty",
    command: "uvx pagerduty-mcp",
    env: { PAGERDUTY_USER_API_KEY: "${PAGERDUTY_TOKEN}" },
  },
  bigquery: {
    category: "data",
    description: "Look at the datasets of a BigQuery project and query them",
    command: "uvx mcp-server-bigquery --project ${BIGQUERY_PROJECT} --location ${BIGQUERY_LOCATION:-US}",
    env: same("GOOGLE_APPLICATION_CREDENTIALS"),
  },
  snowflake: {
    category: "data",
    description: "Look at the schemas of a Snowflake account and query them",
    command: "uvx mcp_snowflake_server",
    env: same(
      "SNOWFLAKE_ACCOUNT",
      "SNOWFLAKE_USER",
      "SNOWFLAKE_PASSWORD",
      "SNOWFLAKE_WAREHOUSE",
      "SNOWFLAKE_DATABASE",
      "SNOWFLAKE_SCHEMA",
    ),
  },
  pinecone: {
    category: "vector-db",
    description: "Search and fill Pinecone indexes",
    command: "npx -y @pinecone-database/mcp",
    env: same("PINECONE_API_KEY"),
  },
  qdrant: {
    category: "vector-db",
    description: "Store and find memories in Qdrant",
    command: "uvx mcp-server-qdrant",
    env: {
      QDRANT_URL: "${QDRANT_URL:-http://localhost:6333}",
      COLLECTION_NAME: "${QDRANT_COLLECTION:-memories}",
    },
  },
};

import { loadConfig } from "../../config/load.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { gatewayUrl, ownRequest } from "../../setup/gateway-entry.ts";
import { type CommandInput, UsageError } from "../command.ts";

const timeoutMs = 5_000;

export async function run(input: CommandInput): Promise<number> {
  const { url, token, own } = await target(input);
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, { ...own, headers, signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
  } catch (error) {
    await writeStderr(`No answer from ${url}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const body = (await response.text().catch(() => "")).trim();
  if (response.ok) await writeStdout(`${body}\n`);
  else await writeStderr(`${url} answered ${response.status}${body === "" ? "" : `: ${body}`}\n`);
  return response.ok ? 0 : 1;
}

async function target(input: CommandInput): Promise<{ url: string; token: string | undefined; own: RequestInit }> {
  const given = input.text("url");
  if (given === undefined) {
    const { overrides, config: path } = input.global;
    const { config } = await loadConfig({
      path,
      overrides,
      env: environment(),
      cwd: workingDirectory(),
      fallBack: true,
    });
    const { enabled, bearer_token } = config.auth;
    const token = enabled && bearer_token !== "auto" ? bearer_token : undefined;
    return { url: `${gatewayUrl(config)}/health`, token, own: ownRequest(config) };
  }
  if (!/^https?:\/\//.test(given) || !URL.canParse(given))
    throw new UsageError(`--url must begin with http:// or https://, not "${given}"`);
  const base = given.replace(/\/+$/, "");
  return { url: base.endsWith("/health") ? base : `${base}/health`, token: undefined, own: {} };
}

import { writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { runningGateway } from "./running-gateway.ts";

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
  const { base, ...rest } = await runningGateway(input);
  return { url: base.endsWith("/health") ? base : `${base}/health`, ...rest };
}

import { discoverSpec } from "../../capabilities/import/discover-spec.ts";
import { ConfigError } from "../../core/errors.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { printError, writeStdout } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { configOf, guarded, guardOf, textsOf, writeImported } from "./import-source.ts";

/** What was asked and what came of it goes to stderr, what is made of it to stdout. */
export async function run(input: CommandInput): Promise<number> {
  const address = input.text("url") as string;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UsageError(`URL must be an http or https address, not "${address}"`);
  const maxCount = numberOf(input, "max-endpoints", Number.isInteger, 1);
  const costUsd =
    input.text("cost-per-call") === undefined ? undefined : numberOf(input, "cost-per-call", Number.isFinite, 0);
  const discovery = { checkTarget: await guardOf(input), tell: printError };
  const found = await guarded(discoverSpec(new URL(address), discovery));
  if (found === undefined)
    throw new ConfigError(
      `Nothing at "${address}" describes an API: give the address of its OpenAPI document or GraphQL endpoint, or save the document and use "cap import FILE"`,
    );
  const options = {
    prefix: input.text("prefix"),
    authKey: input.text("auth"),
    documentUrl: found.url,
    endpoint: found.isEndpoint ? found.url : undefined,
    sourceName: found.url.hostname,
    maxCount,
  };
  const texts = await textsOf(found.document, options, found.url.href, found.kind);
  await writeImported(texts, input);
  if (costUsd !== undefined) await writeStdout(await costSettings(texts.files, costUsd, input));
  return 0;
}

function numberOf(input: CommandInput, option: string, isGood: (value: number) => boolean, least: number): number {
  const text = input.text(option) as string;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (isGood(value) && value >= least) return value;
  throw new UsageError(`--${option} must be a number of at least ${least}, not "${text}"`);
}

/** Costs are counted where the operator can change them: a file that says what it costs itself would not be asked. */
async function costSettings(files: readonly { name: string }[], costUsd: number, input: CommandInput): Promise<string> {
  const { name: server } = (await configOf(input)).capabilities;
  const tool_costs = Object.fromEntries(files.map(({ name }) => [`${server}:${name}`, costUsd]));
  return `\nFor gateway.yaml, so that these costs are counted:\n${await yamlText({ cost_governance: { enabled: true, tool_costs } })}`;
}

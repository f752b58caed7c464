import { maxCapabilities } from "../../capabilities/import/imported.ts";
import { parseDocument } from "../../capabilities/import/parse-document.ts";
import { basename } from "../../runtime/paths.ts";
import type { CommandInput } from "../command.ts";
import { fetchText, readSource, textsOf, writeImported } from "./import-source.ts";

/** Everything is made, checked and found free before the first file is written. */
export async function run(input: CommandInput): Promise<number> {
  const spec = input.text("spec") as string;
  const url = /^https?:\/\//i.test(spec) ? new URL(spec) : undefined;
  const document = await parseDocument(spec, url === undefined ? await readSource(spec) : await fetchText(spec, input));
  const options = {
    prefix: input.text("prefix"),
    authKey: input.text("auth-key"),
    documentUrl: url,
    sourceName: url?.hostname ?? basename(spec).replace(/\.[^.]*$/, ""),
    maxCount: maxCapabilities,
  };
  await writeImported(await textsOf(document, options, spec), input);
  return 0;
}

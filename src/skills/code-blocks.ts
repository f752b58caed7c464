/** Fenced blocks of the kinds that could be run, as data: they are kept for whoever reads them and never executed. */
export interface CodeBlock {
  /** As written, in lower case. */
  readonly lang: string;
  /** Without the line feed at its end. */
  readonly content: string;
}

const kept: ReadonlySet<string> = new Set(["bash", "sh", "shell", "python", "py", "json"]);

/** A fence is closed by one of its own kind that is no shorter (CommonMark 4.5), or by the end of the text. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { readonly fence: string; readonly lang: string; readonly lines: string[] } | undefined;
  const close = () => {
    if (open !== undefined && kept.has(open.lang)) blocks.push({ lang: open.lang, content: open.lines.join("\n") });
    open = undefined;
  };
  for (const line of markdown.split(/\r?\n/)) {
    const fence = /^\s{0,32}(`{3,}|~{3,})/.exec(line)?.[1];
    const info = fence === undefined ? "" : line.trim().slice(fence.length).trim();
    if (open === undefined) {
      if (fence !== undefined) open = { fence, lang: (info.split(/\s/, 1)[0] as string).toLowerCase(), lines: [] };
    } else if (fence?.startsWith(open.fence) && info === "") close();
    else open.lines.push(line);
  }
  close();
  return blocks;
}

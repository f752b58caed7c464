/** What the executable carries. In the source nothing: the build puts the content here (`deploy/embed-plugin.ts`). */
export interface EmbeddedBundle {
  /** Texts by path relative to the folder, with `/`. */
  readonly ui: Readonly<Record<string, string>>;
  readonly capabilities: Readonly<Record<string, string>>;
  /** What the executable is called in a release. */
  readonly releaseFile: string;
}

export const embeddedBundle: EmbeddedBundle | undefined = undefined as EmbeddedBundle | undefined;

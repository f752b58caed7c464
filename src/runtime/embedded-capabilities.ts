/**
 * The built-in capabilities as the build checked them. In the source nothing: the build puts the content here
 * (`deploy/embed-plugin.ts`). A module of its own, because listing tools must not load everything the program carries.
 */
export interface EmbeddedCapabilities {
  /** JSON of a list of `{path, listed}`: what listing the tools takes. */
  readonly index: string;
  /** JSON of each file by path, read when its tool is first called. */
  readonly definitions: Readonly<Record<string, string>>;
}

export const embeddedCapabilities: EmbeddedCapabilities | undefined = undefined as EmbeddedCapabilities | undefined;

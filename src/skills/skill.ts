/** A skill: a folder with instructions for an agent, as text (https://agentskills.io/specification). Nothing of it is ever executed here. */
import type { Json, JsonObject } from "../lib/json.ts";

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** All that the author wrote above the body, those two included. */
  readonly frontmatter: JsonObject;
  /** Markdown. */
  readonly body: string;
  /** Texts by path below the folder, with `/`; `SKILL.md` first, byte for byte as it was read. */
  readonly files: ReadonlyMap<string, string>;
}

/** The one file every skill has. */
export const skillFile = "SKILL.md";

/** A list, or words with commas between them. */
export function listIn(value: Json | undefined): string[] {
  const items = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [];
  return items.map((item) => String(item).trim()).filter((item) => item !== "");
}

/** Words that its author wants it to be found by. */
export function keywordsOf({ frontmatter }: Skill): string[] {
  return [...listIn(frontmatter["triggers"]), ...listIn(frontmatter["keywords"])];
}

export function versionOf({ frontmatter }: Skill): string | undefined {
  const { version, metadata } = frontmatter;
  // The specification has no version of its own; authors keep it in the metadata.
  const stated = version ?? (metadata as JsonObject | undefined)?.["version"];
  return typeof stated === "string" || typeof stated === "number" ? String(stated) : undefined;
}

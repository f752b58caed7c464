/**
 * Skills as clients get them: the entries and resources of the Skills extension (`io.modelcontextprotocol/skills`,
 * SEP-2640), under `skill://NAME/PATH`.
 */
import type { JsonObject } from "../lib/json.ts";
import { sha256Hex } from "../runtime/digest.ts";
import { extname } from "../runtime/paths.ts";
import { type Skill, skillFile } from "./skill.ts";

export interface ServedFile {
  /** As `resources/list` and `resources/directory/read` show it. */
  readonly resource: JsonObject;
  readonly text: string;
}

export interface ServedSkill {
  readonly skill: Skill;
  readonly uri: string;
  /** `Skill` of the extension: front matter, and every file with digest and size. */
  readonly entry: JsonObject;
}

export interface ServedSkills {
  readonly skills: readonly ServedSkill[];
  /** Of each skill its `SKILL.md`: what else there is, the entry says, or a directory. */
  readonly listed: readonly JsonObject[];
  /** By address, those of directories excepted. */
  readonly files: ReadonlyMap<string, ServedFile>;
  /** Direct children by address of the directory. */
  readonly directories: ReadonlyMap<string, readonly JsonObject[]>;
}

/** Where the skills of now come from. */
export interface SkillSource {
  /** False while they are switched off: then none are served. */
  readonly isOn: boolean;
  served(): Promise<ServedSkills>;
}

const mimeTypes: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".json": "application/json",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".py": "text/x-python",
  ".sh": "application/x-sh",
  ".js": "text/javascript",
  ".ts": "text/typescript",
  ".html": "text/html",
  ".css": "text/css",
  ".csv": "text/csv",
  ".xml": "application/xml",
  ".svg": "image/svg+xml",
};

export function serveSkills(skills: readonly Skill[]): ServedSkills {
  const files = new Map<string, ServedFile>();
  const directories = new Map<string, JsonObject[]>();
  const served = skills.map((skill): ServedSkill => {
    const root = `skill://${skill.name}`;
    directories.set(root, []);
    const resources = [...skill.files].map(([path, text]) => {
      const file = fileOf(skill, root, path, text);
      const uri = String(file.resource["uri"]);
      files.set(uri, file);
      addToDirectory(directories, root, uri, file.resource);
      return { uri, digest: `sha256:${sha256Hex(text)}`, size: Buffer.byteLength(text) };
    });
    const uri = `${root}/${skillFile}`;
    return { skill, uri, entry: { uri, frontmatter: skill.frontmatter, resources } };
  });
  const listed = served.map(({ uri }) => (files.get(uri) as ServedFile).resource);
  return { skills: served, listed, files, directories };
}

function fileOf(skill: Skill, root: string, path: string, text: string): ServedFile {
  const isMain = path === skillFile;
  return {
    text,
    resource: {
      uri: `${root}/${path.split("/").map(encodeURIComponent).join("/")}`,
      name: isMain ? skill.name : path.slice(path.lastIndexOf("/") + 1),
      ...(isMain && { description: skill.description }),
      mimeType: mimeTypes[extname(path).toLowerCase()] ?? "text/plain",
      size: Buffer.byteLength(text),
    },
  };
}

/** Makes the directories on the way. */
function addToDirectory(directories: Map<string, JsonObject[]>, root: string, uri: string, resource: JsonObject): void {
  const parent = uri.slice(0, uri.lastIndexOf("/"));
  const children = directories.get(parent);
  if (children !== undefined) return void children.push(resource);
  directories.set(parent, [resource]);
  const name = decodeURIComponent(parent.slice(parent.lastIndexOf("/") + 1));
  addToDirectory(directories, root, parent, { uri: parent, name, mimeType: "inode/directory" });
}

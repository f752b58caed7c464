import assert from "node:assert/strict";
import { test } from "node:test";
import { metaTools } from "../../src/meta/index.ts";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { serveSkills } from "../../src/skills/served-skills.ts";
import { fakeContext, skillsOff, tool } from "./fake-context.ts";

const written = [
  ["pdf-forms", "Fills the fields of documents and checks them. Use it when a document has fields.", "acrobat"],
  ["release-notes", `Writes what changed for readers. ${"Long. ".repeat(60)}`, ""],
  ["git-flow", "Branches, commits and reviews as this team does them", "pull request"],
];
const served = serveSkills(
  await Promise.all(
    written.map(([name, description, keywords]) =>
      parseSkill(`${name}`, `---\nname: ${name}\ndescription: "${description}"\nkeywords: "${keywords}"\n---\n`),
    ),
  ),
);

async function search(args: object, isOn = true) {
  const context = fakeContext([{ name: "files", tools: [tool("read_pdf", "Reads a PDF"), tool("write")] }], {
    skills: isOn ? { isOn, served: async () => served } : skillsOff,
  });
  const found = metaTools.get("gateway_search_tools");
  const result = (await found?.run({ ...args }, context))?.exactValue["structuredContent"];
  return result as { skills?: { name: string; description: string; uri: string }[]; total: number };
}

const hits: Readonly<Record<string, readonly string[]>> = {
  "fill pdf form": ["pdf-forms"],
  acrobat: ["pdf-forms"],
  "check document fields": ["pdf-forms"],
  "create pull request": ["git-flow"],
  "release notes": ["release-notes"],
  "delete database table": [],
  read: [],
  the: [],
  "document weather forecast tomorrow": [],
};
for (const [query, names] of Object.entries(hits))
  test(`gateway_search_tools: "${query}" finds the skills [${names}]`, async () => {
    const { skills } = await search({ query });
    assert.deepEqual(
      skills?.map(({ name }) => name),
      names.length === 0 ? undefined : names,
    );
  });

test("gateway_search_tools: a skill is told in one line and where to read it, with any of several queries", async () => {
  const { skills } = await search({ queries: ["release notes", "delete table"] });
  assert.equal(skills?.length, 1);
  assert.equal(skills?.[0]?.uri, "skill://release-notes/SKILL.md");
  assert.ok((skills?.[0]?.description.length ?? 0) <= 200);
  assert.equal("skills" in (await search({ query: "fill pdf form" }, false)), false);
});

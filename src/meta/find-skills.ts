/** Imported skills that fit what a model searches tools for. Told only where one fits: nothing is added to any other answer. */
import { tokenize } from "../catalog/tokenize.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ServedSkill } from "../skills/served-skills.ts";
import { keywordsOf } from "../skills/skill.ts";
import type { MetaContext } from "./meta-tool.ts";
import { shorten } from "./shorten.ts";

const maxSkills = 3;
const maxDescription = 200;

/** `{ skills: [{ name, description, uri }] }`, or nothing. The model reads them as resources. */
export async function fittingSkills(queries: readonly string[], { skills }: MetaContext): Promise<JsonObject> {
  const served = (await skills.served()).skills;
  const terms = queries.map((query) => new Set(tokenize(query)));
  const hits = served
    .map((skill) => ({ skill, score: Math.max(0, ...terms.map((wanted) => scoreOf(skill, wanted))) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, maxSkills);
  if (hits.length === 0) return {};
  return {
    skills: hits.map(({ skill: { skill, uri } }) => ({
      name: skill.name,
      description: shorten(skill.description, maxDescription),
      uri,
    })),
  };
}

/** In [0, 2]: every term in the name or the author's words for it. 0 unless half of the terms fit, and not by chance. */
function scoreOf(served: ServedSkill, wanted: ReadonlySet<string>): number {
  const { named, told } = wordsOf(served);
  let strong = 0;
  let weak = 0;
  for (const term of wanted)
    if (named.has(term)) strong++;
    else if (told.has(term)) weak++;
  const isFit = (strong + weak) * 2 >= wanted.size && (strong > 0 || weak > 1);
  return isFit ? (2 * strong + weak) / wanted.size : 0;
}

interface Words {
  readonly named: ReadonlySet<string>;
  readonly told: ReadonlySet<string>;
}

const words = new WeakMap<ServedSkill, Words>();

function wordsOf(served: ServedSkill): Words {
  const { skill } = served;
  const known = words.get(served) ?? {
    named: new Set(tokenize([skill.name, ...keywordsOf(skill)].join(" "))),
    told: new Set(tokenize(skill.description)),
  };
  words.set(served, known);
  return known;
}

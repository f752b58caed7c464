/** A configuration on its way here: what it has become, where each part came from, and what is left out and why. */
import { type Path, pathText, type Settings, valueAt, withoutPath, withValueAt } from "../../config/path.ts";
import type { Place, YamlComment } from "../../lib/yaml-document.ts";

export interface Source {
  readonly value: unknown;
  placeOf(path: Path): Place;
}

/** One setting of the source: what it became, or why it became nothing. */
export interface Outcome {
  readonly from: Path;
  readonly to: Path | undefined;
  readonly text: string;
}

/** An outcome, and its `from` as text, which is compared often. */
type Said = Outcome & { readonly id: string };

export class Conversion {
  settings: Settings = {};
  /** To be hidden wherever they turn up. */
  readonly secrets: string[] = [];
  readonly comments: YamlComment[] = [];
  readonly #outcomes: Said[] = [];
  readonly #source: unknown;

  constructor(source: unknown) {
    this.#source = source;
  }

  get(from: Path): unknown {
    return valueAt(this.#source, from);
  }

  /** @param comment stands above the setting in the file; for what is not the same under another name */
  set(from: Path, to: Path, value: unknown, comment?: string): void {
    this.settings = withValueAt(this.settings, to, value);
    this.#outcomes.push({ id: idOf(from), from, to, text: pathText(to) });
    if (comment !== undefined) this.comments.push({ path: to, text: `${pathText(from)}: ${comment}` });
  }

  /** @param why goes on after "left out: " */
  leaveOut(from: Path, why: string): void {
    this.#outcomes.push({ id: idOf(from), from, to: undefined, text: `left out: ${why}` });
  }

  /** Takes a setting out again that does not pass, and says so at all it was made from. */
  takeOut(to: Path, why: string): void {
    if (valueAt(this.settings, to) === undefined) return;
    this.settings = withoutPath(this.settings, to) as Settings;
    const isWithin = (inner: Path, outer: Path) => outer.every((step, at) => inner[at] === step);
    const gone = this.#outcomes.filter((one) => one.to !== undefined && isWithin(one.to, to));
    if (gone.length === 0) {
      const around = this.#outcomes.filter((one) => one.to !== undefined && isWithin(to, one.to));
      this.leaveOut(around.at(-1)?.from ?? [], why);
    }
    for (const one of gone) {
      this.#outcomes.splice(this.#outcomes.indexOf(one), 1);
      // One setting can go to several places, and the others may be right.
      if (!this.#outcomes.some(({ id }) => id === one.id)) this.leaveOut(one.from, why);
    }
  }

  /** What is said of each setting of the source, those nobody asked for included. */
  outcomes(): readonly Outcome[] {
    const said = new Set(this.#outcomes.map(({ id }) => id));
    const isSaid = (path: Path) => path.some((_step, at) => said.has(idOf(path.slice(0, at + 1))));
    const unknown = leavesOf(this.#source).filter((path) => !isSaid(path));
    return [...this.#outcomes, ...unknown.map((from) => ({ from, to: undefined, text: "left out: it is not known" }))];
  }
}

function idOf(path: Path): string {
  return JSON.stringify(path);
}

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

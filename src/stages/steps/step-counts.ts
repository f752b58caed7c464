/**
 * What usually comes after a tool: how many sessions went from it to which other one. Sessions are counted, not calls, and
 * what fewer than three took counts as never taken, so that one session, however busy, makes nothing usual.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

/** Those that were left longest ago are forgotten first. */
const maxTools = 1_000;
/** After each tool; the rarest makes room. */
const maxFollowers = 32;
/** Where a count gets here all after that tool are halved: what was usual long ago fades. */
const maxSessions = 1_000;
const enoughSessions = 3;
/** So many times rarer than the most usual step is as unusual as can be. */
const rarest = 100;
const minConfidence = 0.3;
const maxPredictions = 3;
export const maxNameChars = 256;

export interface Prediction {
  readonly tool: string;
  /** Share of the steps from the tool before that led to this one, in [0.3, 1]. */
  readonly confidence: number;
}

/** Tools are named `server:tool`, by at most {@link maxNameChars} characters. */
export class StepCounts {
  /** The one left last is last. */
  readonly #tools = new Map<string, Map<string, number>>();

  add(from: string, to: string, sessions = 1): void {
    const followers = this.#tools.get(from) ?? new Map<string, number>();
    this.#tools.delete(from);
    this.#tools.set(from, followers);
    if (this.#tools.size > maxTools) this.#tools.delete(this.#tools.keys().next().value as string);
    const count = (followers.get(to) ?? 0) + sessions;
    if (!followers.has(to) && followers.size >= maxFollowers) followers.delete(rarestOf(followers));
    followers.set(to, count);
    if (count >= maxSessions) halve(followers);
  }

  addAll({ steps }: StepCounts): void {
    for (const [from, followers] of steps) for (const [to, sessions] of followers) this.add(from, to, sessions);
  }

  get steps(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#tools;
  }

  /**
   * How unusual the step is, in [0, 1]: by how much it is rarer than the most usual step from there, both counted one
   * higher, on a scale of powers of ten on which 0.5 is ten times and 1 is a hundred times or more. Where many steps are
   * equally usual none of them is unusual, and what was never seen scores no higher than what was seen allows: 0.7 after
   * 24 sessions that did the usual, 1 after 99. `undefined` where nothing is usual yet.
   */
  unusualness(from: string, to: string): number | undefined {
    const followers = this.#tools.get(from);
    if (followers === undefined) return undefined;
    const most = Math.max(...followers.values());
    if (most < enoughSessions) return undefined;
    const sessions = followers.get(to) ?? 0;
    const times = (most + 1) / ((sessions < enoughSessions ? 0 : sessions) + 1);
    return Math.min(1, hundredths(Math.log(times) / Math.log(rarest)));
  }

  /** The most likely first. */
  predictions(from: string): Prediction[] {
    const followers = [...(this.#tools.get(from) ?? [])];
    const all = followers.reduce((sum, [, sessions]) => sum + sessions, 0);
    return followers
      .filter(([, sessions]) => sessions >= enoughSessions && sessions / all >= minConfidence)
      .sort(([, a], [, b]) => b - a)
      .slice(0, maxPredictions)
      .map(([tool, sessions]) => ({ tool, confidence: hundredths(sessions / all) }));
  }

  toJSON(): JsonObject {
    return Object.fromEntries([...this.#tools].map(([from, followers]) => [from, Object.fromEntries(followers)]));
  }

  /** What {@link toJSON} wrote; anything else in it is left out. */
  static read(value: Json | undefined): StepCounts {
    const counts = new StepCounts();
    for (const [from, followers] of entriesOf(value))
      for (const [to, sessions] of entriesOf(followers))
        if (isName(from) && isName(to) && isCount(sessions)) counts.add(from, to, sessions);
    return counts;
  }
}

function entriesOf(value: Json | undefined): [string, Json | undefined][] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

function isName(text: string): boolean {
  return text.length <= maxNameChars;
}

function isCount(value: Json | undefined): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < maxSessions;
}

function rarestOf(followers: ReadonlyMap<string, number>): string {
  return [...followers].reduce((least, one) => (one[1] < least[1] ? one : least))[0];
}

function halve(followers: Map<string, number>): void {
  for (const [to, sessions] of followers) {
    if (sessions === 1) followers.delete(to);
    else followers.set(to, Math.floor(sessions / 2));
  }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

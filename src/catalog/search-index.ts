/** Ranked search over the tools of all servers. Loaded at the first search, built in slices, replaced server by server. */
import { BestHits, roundScore, tiers } from "./best-hits.ts";
import type { CatalogServer, Listed, SearchHit, SearchOptions } from "./catalog.ts";
import { compactName } from "./compact-name.ts";
import { Postings, type TermPostings } from "./postings.ts";
import {
  fieldNames,
  fields,
  fuzzyWeight,
  k1,
  maxFrequency,
  maxTypos,
  prefixWeight,
  queryK,
  rareBelowTools,
  shortQueryWords,
  synonymMaxTools,
  synonymWeight,
  typoLength,
  unavailableWeight,
} from "./ranking.ts";
import { type SearchDocument, searchDocument } from "./search-document.ts";
import { synonyms } from "./synonyms.ts";
import { tokenize } from "./tokenize.ts";

const sliceMs = 8;
const spareDead = 1_000;
const maxQueryCharacters = 2_000;
const longestNameQuery = 100;

export class SearchIndex {
  #postings = new Postings();
  /** By document number; `undefined` once replaced. Postings of such numbers are passed over. */
  #documents: (SearchDocument | undefined)[] = [];
  #numbers = new Map<string, readonly number[]>();
  #live = 0;
  #totals = fieldNames.map(() => 0);
  /** Per document number, all zero between two searches. */
  #scores = new Float64Array(0);
  #frequencies = new Float64Array(0);
  /** One for all servers: many small ones in a row are as long as one large one. */
  readonly #slice = new Slice();

  /** Makes these the tools of the server. Until it resolves the former ones are found. Not to be called concurrently. */
  async replace(server: CatalogServer, tools: readonly Listed[]): Promise<void> {
    const documents: SearchDocument[] = [];
    for (const tool of tools) {
      documents.push(searchDocument(server, tool));
      await this.#slice.breathe();
    }
    const first = this.#documents.length;
    // The numbers are taken before anything is awaited, and stay empty until the whole server is in.
    this.#documents.length += documents.length;
    for (const [offset, document] of documents.entries()) {
      this.#postings.append(first + offset, document);
      await this.#slice.breathe();
    }
    this.remove(server.name);
    for (const [offset, document] of documents.entries()) this.#enter(first + offset, document);
    this.#numbers.set(
      server.name,
      documents.map((_, offset) => first + offset),
    );
    if (this.#documents.length > 2 * this.#live + spareDead) await this.#rebuild();
  }

  remove(server: string): void {
    for (const number of this.#numbers.get(server) ?? []) {
      const document = this.#documents[number] as SearchDocument;
      this.#documents[number] = undefined;
      this.#live--;
      for (const [at, length] of document.lengths.entries()) this.#totals[at] = (this.#totals[at] as number) - length;
    }
    this.#numbers.delete(server);
  }

  /** Best first; equal scores in the order of `servers`, then by name. The same tools and query give the same answer. */
  find(query: string, options: SearchOptions, serverOrder: ReadonlyMap<string, number>): SearchHit[] {
    if (this.#scores.length < this.#documents.length) {
      this.#scores = new Float64Array(this.#documents.length * 2);
      this.#frequencies = new Float64Array(this.#documents.length * 2);
    }
    const touched: number[] = [];
    this.#scoreWords(query.slice(0, maxQueryCharacters), touched);
    const best = new BestHits(options.limit, serverOrder);
    const offer = (number: number, tier: number) => {
      const document = this.#documents[number];
      if (document === undefined || (options.server !== undefined && document.server !== options.server)) return;
      const boost = options.boost?.(document.server, document.name) ?? 1;
      const words = (this.#scores[number] as number) * (document.isUnavailable ? unavailableWeight : 1) * boost;
      const candidate = { document, score: roundScore(words), tier };
      if (best.wouldTake(candidate) && options.visible(document.server, document.name)) best.take(candidate);
    };
    const wanted = query.length <= longestNameQuery ? compactName(query) : "";
    const named = new Set<number>();
    if (wanted !== "") {
      for (const [number, document] of this.#documents.entries()) {
        const tier = document === undefined ? tiers.words : nameTier(document, wanted);
        if (tier === tiers.words) continue;
        named.add(number);
        offer(number, tier);
      }
    }
    for (const number of touched) {
      if (!named.has(number)) offer(number, tiers.words);
    }
    for (const number of touched) this.#scores[number] = 0;
    return best.hits();
  }

  #scoreWords(query: string, touched: number[]): void {
    const counts = new Map<string, number>();
    for (const term of tokenize(query)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const isShort = counts.size <= shortQueryWords;
    let mayBeTypos = maxTypos;
    for (const [term, count] of counts) {
      const weight = (count * (queryK + 1)) / (count + queryK);
      const postings = this.#postings.of(term);
      const found = postings === undefined ? 0 : this.#scoreTerm(postings, weight, touched);
      if (found <= synonymMaxTools) this.#scoreSynonyms(term, counts, weight * synonymWeight, touched);
      if (isShort ? found >= rareBelowTools || term.length < 3 : found > 0 || !isLikeTypo(term)) continue;
      if (!isShort && mayBeTypos-- <= 0) continue;
      for (const [other, near] of this.#postings.withPrefix(term))
        if (other !== term) this.#scoreTerm(near, weight * prefixWeight, touched);
      // A word that has synonyms is none that was misspelt.
      const maxDistance = synonyms(term).size > 0 ? 0 : term.length >= 8 ? 2 : term.length >= 4 ? 1 : 0;
      if (maxDistance === 0) continue;
      for (const [other, [near, distance]] of this.#postings.near(term, maxDistance))
        if (!other.startsWith(term)) this.#scoreTerm(near, (weight * fuzzyWeight) / (1 + distance), touched);
    }
  }

  /** @param query its terms, which count for themselves already */
  #scoreSynonyms(term: string, query: ReadonlyMap<string, number>, weight: number, touched: number[]): void {
    for (const other of synonyms(term)) {
      const postings = query.has(other) ? undefined : this.#postings.of(other);
      if (postings !== undefined) this.#scoreTerm(postings, weight, touched);
    }
  }

  /** Adds the BM25F score of one term to every live document that has it; returns how many have. */
  #scoreTerm(postings: TermPostings, weight: number, touched: number[]): number {
    const having: number[] = [];
    for (const [at, inField] of postings.entries()) {
      if (inField === undefined) continue;
      const { weight: fieldWeight, b } = fields[fieldNames[at] as keyof typeof fields];
      const average = (this.#totals[at] as number) / this.#live || 1;
      for (const [index, number] of inField.documents.entries()) {
        const document = this.#documents[number];
        if (document === undefined) continue;
        const frequency = inField.frequencies[index] as number;
        if (this.#frequencies[number] === 0) having.push(number);
        const relativeLength = (document.lengths[at] as number) / average;
        (this.#frequencies[number] as number) +=
          (fieldWeight * Math.min(frequency, maxFrequency)) / (1 - b + b * relativeLength);
      }
    }
    const rarity = Math.log(1 + (this.#live - having.length + 0.5) / (having.length + 0.5));
    for (const number of having) {
      const frequency = this.#frequencies[number] as number;
      this.#frequencies[number] = 0;
      if (this.#scores[number] === 0) touched.push(number);
      (this.#scores[number] as number) += (weight * rarity * frequency * (k1 + 1)) / (frequency + k1);
    }
    return having.length;
  }

  #enter(number: number, document: SearchDocument): void {
    this.#documents[number] = document;
    this.#live++;
    for (const [at, length] of document.lengths.entries()) this.#totals[at] = (this.#totals[at] as number) + length;
  }

  /** Leaves the numbers of replaced documents behind, so that a server that keeps changing its list costs no memory. */
  async #rebuild(): Promise<void> {
    const postings = new Postings();
    const documents: SearchDocument[] = [];
    const numbers = new Map<string, number[]>();
    for (const document of this.#documents) {
      if (document === undefined) continue;
      const number = documents.push(document) - 1;
      postings.append(number, document);
      const ofServer = numbers.get(document.server);
      if (ofServer) ofServer.push(number);
      else numbers.set(document.server, [number]);
      await this.#slice.breathe();
    }
    this.#postings = postings;
    this.#documents = documents;
    this.#numbers = numbers;
  }
}

/** Gives the event loop a turn whenever a slice of work is used up. */
class Slice {
  #since = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#since < sliceMs) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
  }
}

function isLikeTypo(term: string): boolean {
  return term.length >= typoLength && !/\d/.test(term);
}

function nameTier(document: SearchDocument, wanted: string): number {
  if (document.nameKey === wanted || document.fullKey === wanted) return tiers.exactName;
  return wanted.length > 1 && document.nameKey.startsWith(wanted) ? tiers.namePrefix : tiers.words;
}

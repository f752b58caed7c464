/**
 * The inverted index: which documents have a term, by field. Whole terms are looked up in a map, beginnings and misspelt
 * ones in MiniSearch's radix tree. Not MiniSearch itself: putting a term in takes it six times as long, its scorer builds
 * an object per match and knows one length normalisation for all fields (see `ranking.ts`).
 */
import SearchableMap from "minisearch/SearchableMap";
import { fieldNames } from "./ranking.ts";
import type { SearchDocument } from "./search-document.ts";

/** Numbers of the documents that have a term in one field, ascending, and how often each has it. */
export interface FieldPostings {
  readonly documents: readonly number[];
  readonly frequencies: readonly number[];
}

/** In the order of `fieldNames`. */
export type TermPostings = readonly (FieldPostings | undefined)[];

export class Postings {
  readonly #terms = new Map<string, (Growing | undefined)[]>();
  readonly #tree = new SearchableMap<TermPostings>();

  /** Documents are numbered from 0 in the order they are added, and never removed. */
  append(number: number, document: SearchDocument): void {
    for (const [at, field] of fieldNames.entries()) {
      for (const term of document.terms[field]) {
        const postings = this.#of(term);
        const inField = postings[at];
        if (inField === undefined) postings[at] = { documents: [number], frequencies: [1] };
        else if (inField.documents.at(-1) === number) (inField.frequencies[inField.frequencies.length - 1] as number)++;
        else {
          inField.documents.push(number);
          inField.frequencies.push(1);
        }
      }
    }
  }

  of(term: string): TermPostings | undefined {
    return this.#terms.get(term);
  }

  withPrefix(prefix: string): Iterable<[string, TermPostings]> {
    return this.#tree.atPrefix(prefix);
  }

  near(term: string, maxDistance: number): Iterable<[string, [TermPostings, number]]> {
    return this.#tree.fuzzyGet(term, maxDistance);
  }

  #of(term: string): (Growing | undefined)[] {
    let postings = this.#terms.get(term);
    if (postings === undefined) {
      postings = fieldNames.map(() => undefined);
      this.#terms.set(term, postings);
      this.#tree.set(term, postings);
    }
    return postings;
  }
}

interface Growing {
  readonly documents: number[];
  readonly frequencies: number[];
}

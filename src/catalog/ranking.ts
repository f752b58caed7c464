/**
 * Weights of tool search, tuned with `bench/search.ts` on the development quarter of five public query sets.
 * Measured with these values, in percent (differences below 2 points, and below 5 on LiveMCPBench, mean nothing):
 *
 *     set (tools; queries)            R@1   R@5  R@10  nDCG@10
 *     LiveMCPBench tasks (527; 26)   17.4  35.2  42.4  38.1
 *     LiveMCPBench steps (527; 29)   60.3  79.3  89.7  74.0
 *     ToolE single (199; 588)        51.9  71.9  77.0  64.4
 *     ToolE multi (199; 101)         29.7  71.8  77.7  67.5
 *     ToolBench G1-3 (2,479; 176)    32.3  70.9  82.1  72.0
 *     BFCL (894; 298)                66.4  90.6  93.3  80.4
 *     Seal-Tools (4,076; 307)        42.5  88.5  95.7  92.1
 *
 * 5,000 tools of 50 servers on two busy cores: p50 0.4 ms, p99 2 to 4 ms; building the index 0.5 s, in slices.
 */

/** BM25F: `weight` of a word in the field, `b` from 0 (length is ignored) to 1 (a word in a long text counts less). */
export const fields = {
  name: { weight: 4, b: 0.3 },
  server: { weight: 1, b: 0.75 },
  description: { weight: 1, b: 0.6 },
  parameters: { weight: 0.5, b: 0.75 },
  about: { weight: 0.2, b: 0.75 },
} as const;
export type Field = keyof typeof fields;
export const fieldNames = Object.keys(fields) as Field[];

/** Saturation of a word's frequency in a tool. */
export const k1 = 2;
/** Saturation of a word's frequency in the query. */
export const queryK = 1;
/** Repetitions beyond this count for nothing: stuffing a description does not buy rank. */
export const maxFrequency = 4;

/** In queries of at most this many words, a rare word also finds the words it begins and words a typo away. */
export const shortQueryWords = 2;
/**
 * In longer queries only a word that no tool has, of at least this many letters, does: it says nothing otherwise. With
 * two words of five misspelt R@5 gains 0 to 3.5 points on the sets above; correct queries change by less than half a
 * point.
 */
export const typoLength = 5;
/** Words of a long query that are looked for like that: each costs as much as several words that are there. */
export const maxTypos = 8;
/** A word in fewer tools than this is rare. */
export const rareBelowTools = 3;
export const prefixWeight = 0.5;
/** Divided by one more than the edit distance. */
export const fuzzyWeight = 0.8;

/** Of words for the same thing, for one that no more tools have than this; where more have it, they are what is meant. */
export const synonymWeight = 0.15;
export const synonymMaxTools = 10;

/** For tools that cannot be used now: found when nothing better is there, and never before what works as well. */
export const unavailableWeight = 0.5;

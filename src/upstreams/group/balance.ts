/** Which of several replicas gets a request. Each strategy chooses among those that may have it. */
import type { LoadBalancingSettings } from "./schema.ts";

export interface Candidate {
  readonly id: string;
  /** At least 1. */
  readonly weight: number;
  /** Requests that run there now. */
  readonly inFlight: number;
  /** Of the rotation; 0 at first. */
  turn: number;
}

/**
 * @param candidates at least one
 * @param clientKey equal for requests that belong together; for the strategies of {@link keepsClients} alone
 */
export function choose<C extends Candidate>(
  strategy: LoadBalancingSettings["strategy"],
  candidates: readonly C[],
  clientKey: () => string,
): C {
  switch (strategy) {
    case "round_robin":
      return nextInTurn(candidates, evenly);
    case "weighted_round_robin":
      return nextInTurn(candidates, ({ weight }) => weight);
    case "least_connections":
      return nextInTurn(leastBusy(candidates), evenly);
    case "ip_hash":
    case "session_hash":
      return ownerOf(clientKey(), candidates);
  }
}

/** Whether the requests of one client are to stay on one replica, even if that sleeps. */
export function keepsClients(strategy: LoadBalancingSettings["strategy"]): boolean {
  return strategy === "ip_hash" || strategy === "session_hash";
}

const evenly = () => 1;

/** nginx's smooth weighted round robin: 5, 1, 1 gives a a b a c a a, and never the five in a row. */
function nextInTurn<C extends Candidate>(candidates: readonly C[], weightOf: (candidate: C) => number): C {
  let total = 0;
  let next = candidates[0] as C;
  for (const candidate of candidates) {
    const weight = weightOf(candidate);
    candidate.turn += weight;
    total += weight;
    if (candidate.turn > next.turn) next = candidate;
  }
  next.turn -= total;
  return next;
}

function leastBusy<C extends Candidate>(candidates: readonly C[]): C[] {
  const loadOf = ({ inFlight, weight }: Candidate) => inFlight / weight;
  const least = Math.min(...candidates.map(loadOf));
  return candidates.filter((candidate) => loadOf(candidate) === least);
}

/**
 * Rendezvous hashing: every candidate draws a number from the key, the highest by weight wins. One that leaves gives only
 * its own clients away, one that comes takes only its share.
 */
function ownerOf<C extends Candidate>(key: string, candidates: readonly C[]): C {
  let owner = candidates[0] as C;
  let highest = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const score = -candidate.weight / Math.log(fractionOf(`${key}\0${candidate.id}`));
    if (score > highest) [owner, highest] = [candidate, score];
  }
  return owner;
}

/** Between 0 and 1, both excluded: FNV-1a, whose bits are then mixed as MurmurHash3 does in the end. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}

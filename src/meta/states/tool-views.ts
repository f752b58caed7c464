/** Which capabilities a caller sees in the state of his session, and which are another's: as far as the lists say. */
import type { Catalog, Listed } from "../../catalog/catalog.ts";
import { type Audience, audienceOf, defaultState, hiddenBy } from "../../core/audience.ts";
import type { Caller } from "../../core/caller.ts";

/** Of one caller; an operator may set any state. */
const maxStates = 100;

export class ToolViews {
  readonly #catalog: Pick<Catalog, "list" | "tool">;
  readonly #capabilities: () => string | undefined;
  /** Lists are remembered by caller, so equal ones must be one. */
  readonly #narrowed = new WeakMap<Caller, Map<string, Caller>>();
  /** Looked through once for every list: most have none. */
  readonly #audiences = new WeakMap<readonly Listed[], readonly Audience[]>();

  /** @param capabilities name of the capability backend, where there is one */
  constructor(catalog: Pick<Catalog, "list" | "tool">, capabilities: () => string | undefined) {
    this.#catalog = catalog;
    this.#capabilities = capabilities;
  }

  /** The caller without what the state of his session, or another's name, keeps from him. */
  narrow(caller: Caller, state: string = defaultState): Caller {
    if (state === defaultState && this.#known().length === 0) return caller;
    let byState = this.#narrowed.get(caller);
    if (byState === undefined || byState.size >= maxStates) {
      byState = new Map();
      this.#narrowed.set(caller, byState);
    }
    let narrowed = byState.get(state);
    if (narrowed === undefined) {
      narrowed = this.#inState(caller, state);
      byState.set(state, narrowed);
    }
    return narrowed;
  }

  /** Whether other tools are there in the one state than in the other. */
  differ(one: string, other: string): boolean {
    return this.#known().some(({ states }) => states.includes(one) !== states.includes(other));
  }

  /** Whether any capability says that it is there in this state. */
  isNamed(state: string): boolean {
    return state === defaultState || this.#known().some(({ states }) => states.includes(state));
  }

  #inState(caller: Caller, state: string): Caller {
    const narrowed: Caller = {
      ...caller,
      view: {
        state,
        hides: (server, tool) => {
          const listed = server === this.#capabilities() ? this.#catalog.tool(server, tool) : undefined;
          return listed === undefined ? undefined : hiddenBy(audienceOf(listed), narrowed);
        },
      },
    };
    return narrowed;
  }

  #known(): readonly Audience[] {
    const server = this.#capabilities();
    const listed = server === undefined ? undefined : this.#catalog.list(server, "tools");
    if (listed === undefined) return [];
    let audiences = this.#audiences.get(listed);
    if (audiences === undefined) {
      audiences = listed.map(audienceOf).filter((audience) => audience !== undefined);
      this.#audiences.set(listed, audiences);
    }
    return audiences;
  }
}

/** Names of what is imported: plain, each once, and good as the name of a tool and of a file everywhere. */

/** Some clients refuse longer ones. */
const maxLength = 64;
/** What Windows takes for a device, whatever its extension. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)$/;

export class CapabilityNames {
  readonly #prefix: string;
  readonly #taken = new Set<string>();

  /** @param prefix stands before every name */
  constructor(prefix: string | undefined) {
    this.#prefix = prefix === undefined ? "" : `${prefix}_`;
  }

  /** The first that is a name and free; the first name with a number behind it where none is. */
  take(...candidates: readonly [string, ...string[]]): string {
    const bases = candidates.filter((each) => identifier(each) !== "").map((each) => this.#base(each));
    const base = bases[0] ?? this.#base("operation");
    let name = bases.find((each) => !this.#taken.has(each)) ?? base;
    for (let count = 2; this.#taken.has(name); count++)
      name = `${base.slice(0, maxLength - 1 - String(count).length)}_${count}`;
    this.#taken.add(name);
    return name;
  }

  #base(candidate: string): string {
    const name = identifier(`${this.#prefix}${candidate}`).slice(0, maxLength).replace(/_+$/, "");
    return devices.test(name) ? `${name}_` : name;
  }
}

/** `getUserByID` → `get_user_by_id`. */
export function identifier(text: string): string {
  return text
    .slice(0, 4 * maxLength)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

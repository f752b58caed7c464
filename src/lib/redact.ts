/**
 * Takes secrets out of text that is about to leave: those we know by value, in the shapes they travel in, and those
 * anyone can tell by their look. Every step is linear in the text, however hostile it is.
 */

export const redacted = "[redacted]";

/** Shorter values are no secrets, and replacing them would shred ordinary text. */
export const shortestSecret = 6;
const shortestEncoded = 8;

export class Redactor {
  /** Longest first, so that a secret that contains another one goes as a whole. */
  #needles: readonly string[] = [];
  /** Given, and not among the needles before there is a text to look through: a start has none. */
  readonly #waiting: Iterable<string>[] = [];

  constructor(secrets: Iterable<string> = []) {
    this.add(secrets);
  }

  /** From now on these values are taken out too. */
  add(secrets: Iterable<string>): void {
    this.#waiting.push(secrets);
  }

  /** The text without known secrets and without what looks like one. */
  readonly redact = (text: string): string => {
    let clean = this.redactKnown(text);
    for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
    return clean;
  };

  /** The text without known secrets; the very same where there is none. */
  readonly redactKnown = (text: string): string => {
    if (this.#waiting.length > 0) this.#prepare();
    let clean = text;
    for (const needle of this.#needles) if (clean.includes(needle)) clean = clean.replaceAll(needle, redacted);
    return clean;
  };

  #prepare(): void {
    const needles = new Set(this.#needles);
    for (const secrets of this.#waiting.splice(0))
      for (const secret of secrets) for (const shape of shapesOf(secret)) needles.add(shape);
    this.#needles = [...needles].sort((a, b) => b.length - a.length);
  }
}

function shapesOf(secret: string): string[] {
  if (secret.length < shortestSecret) return [];
  const percentEncoded = encodeURIComponent(secret.toWellFormed());
  const encoded = base64Shapes(secret).filter((shape) => shape.length >= shortestEncoded);
  return [
    secret,
    // As it stands inside JSON text.
    JSON.stringify(secret).slice(1, -1),
    percentEncoded,
    percentEncoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    // As forms write it.
    new URLSearchParams([["", secret]]).toString().slice(1),
    ...encoded,
    ...encoded.map((shape) => shape.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/**
 * How base64 shows the secret at each of the three alignments it can have inside a longer text, e.g. after a user
 * name. Characters that also depend on what stands before or after it are left out.
 */
function base64Shapes(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].map((offset) => {
    const text = btoa(`${"\0".repeat(offset)}${Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")}`);
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
}

/**
 * Linear because each pattern starts at a fixed word (or at the start of a run, by lookbehind) and then repeats one
 * character class that cannot contain another start, or ends in a match that swallows what was scanned.
 */
const patterns: readonly (readonly [RegExp, string])[] = [
  // Without its end line the rest of the text may be key.
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g, redacted],
  // user:password@ of a URL.
  [/(:\/\/[^\s:/@?#"']*:)[^\s/?#"']+@/g, `$1${redacted}@`],
  [/\b(bearer\s+)[A-Za-z0-9._~+/=-]{16,}/gi, `$1${redacted}`],
  [/\b(authorization["']?\s*[:=]\s*["']?[A-Za-z]+\s+)[^\s"',]{4,}/gi, `$1${redacted}`],
  // name=value and "name": "value" of names that say what they hold.
  [
    /((?:password|passwd|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|auth[_-]?token)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\&,;]{6,}/gi,
    `$1${redacted}`,
  ],
  [/(?<![A-Za-z0-9])[sr]k[-_][A-Za-z0-9_-]{16,}/g, redacted],
  [/(?<![A-Za-z0-9])(?:gh[oprsu]_|github_pat_|glpat-|npm_|hf_|xox[abeprs]-)[A-Za-z0-9_-]{16,}/g, redacted],
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g, redacted],
  [/(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}/g, redacted],
  // A JSON Web Token; only from the start of a run, or a long run of "-eyJ" would be scanned once per start.
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, redacted],
];

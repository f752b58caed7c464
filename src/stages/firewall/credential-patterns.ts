/**
 * Credentials as they stand in the JSON text of a result. They are taken out of that text itself, so that everything else
 * of it stays as the server sent it: a match consists of characters that JSON writes as they are.
 */

export const redactedCredential = "[REDACTED:credential]";

function literal(word: string): string {
  return word.replace(/[.[\]()|\\]/g, "\\$&");
}

/**
 * Not within a word, or a long run of dashed words would be scanned once for each of them; what JSON escapes (`\n`) ends
 * a word too.
 */
const start = "(?:(?<![A-Za-z0-9_-])|(?<=\\\\[bfnrt])|(?<=\\\\u[0-9a-fA-F]{4}))";
const stop = "(?![A-Za-z0-9])";

export interface CredentialPattern {
  readonly rule: string;
  /** Sticky: it is tried at a few places of a text and not at all of them. */
  readonly pattern: RegExp;
  /** The part of the match that stays, in front of the credential; groups `before` and `value` otherwise. */
  readonly isKept?: true;
  /** Examples in documentation look alike: only a value that looks drawn at random counts. */
  readonly isRandom?: true;
  /** Only with some of the key behind the first line. */
  readonly isKey?: true;
}

interface TokenPattern extends CredentialPattern {
  /** Each match begins with one of them. */
  readonly prefixes: readonly string[];
}

/** @param begins the prefixes, first in the pattern, because a look at what stands before one takes longer */
function token(rule: string, begins: string, rest: string, isRandom?: true): TokenPattern {
  const prefixes = begins.split(" ");
  const prefix = `(?:${prefixes.map(literal).join("|")})`;
  const pattern = new RegExp(`${prefix}(?<=${start}${prefix})${rest}`, "y");
  return { rule, prefixes, pattern, ...(isRandom && { isRandom }) };
}

/** The first line of a private key begins and ends with these. */
export const startOfKeyMark = "-----BEGIN ";
export const endOfKeyMark = "PRIVATE KEY-----";
/** Characters of it before {@link endOfKeyMark}. */
export const longestKeyMark = startOfKeyMark.length + 40;

export const privateKey: CredentialPattern = {
  rule: "private-key",
  // In JSON text a line break is two characters. Without its last line it ends where no key goes on; it always
  // ends, so that nothing is scanned twice.
  pattern:
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=:,.\s\\-]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|(?=(?<!\\)\\{1,8}[^nrt\\]|[^A-Za-z0-9+/=:,.\s\\-])|$)/y,
  isKey: true,
};

/** Characters between `://` and `@`: a user, a colon and a password. */
export const longestUserInfo = 64 + 1 + 256;

export const passwordInUrl: CredentialPattern = {
  rule: "password-in-url",
  pattern:
    /(:\/\/(?<=\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|ftp|https?):\/\/)[^\s:/@"\\]{0,64}:)([^\s/@"\\]{3,256})(?=@)/iy,
  isKept: true,
};

/** Told by how they begin. */
export const tokens: readonly TokenPattern[] = [
  token("json-web-token", "eyJ", "[A-Za-z0-9_-]{8,4096}\\.eyJ[A-Za-z0-9_-]{8,8192}\\.[A-Za-z0-9_-]{16,2048}"),
  token("sendgrid-key", "SG.", "[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,128}"),
  token("google-oauth-token", "ya29.", "[A-Za-z0-9_-]{20,2048}"),
  token("aws-access-key", "AKIA ASIA", `[A-Z0-9]{16}${stop}`),
  token("google-api-key", "AIza", `[A-Za-z0-9_-]{35}${stop}`),
  token("github-token", "ghp_ gho_ ghs_ ghr_ ghu_", "[A-Za-z0-9]{36,255}"),
  token("github-token", "github_pat_", "[A-Za-z0-9_]{22,255}"),
  token("gitlab-token", "glpat-", "[A-Za-z0-9_-]{20,255}"),
  token("slack-token", "xoxa- xoxb- xoxe- xoxp- xoxr- xoxs-", "[A-Za-z0-9-]{10,255}", true),
  token("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", "[A-Za-z0-9]{16,255}", true),
  token("api-key", "sk-", "(?:proj-|ant-|svcacct-|admin-|or-)?[A-Za-z0-9_-]{20,255}", true),
  token("npm-token", "npm_", `[A-Za-z0-9]{36}${stop}`),
  token("hugging-face-token", "hf_", "[A-Za-z0-9]{30,255}", true),
  token("shopify-token", "shpat_", "[a-fA-F0-9]{32}"),
  token("digitalocean-token", "dop_v1_", "[a-f0-9]{64}"),
  token("pypi-token", "pypi-", "AgEI[A-Za-z0-9_-]{50,512}"),
];

export const bearerToken: CredentialPattern = {
  rule: "bearer-token",
  pattern: /\b([Bb]earer |BEARER )([A-Za-z0-9._~+/=-]{20,4096})/y,
  isKept: true,
  isRandom: true,
};

/** From the sign behind the name on. */
export const namedSecret: CredentialPattern = {
  rule: "named-secret",
  pattern:
    /([:=](?<=(?:api[_-]?key|(?:access|auth|refresh|session|api|bot)[_-]?token|(?:client|api|app|signing|shared|aws)[_-]?secret|secret[_-]?(?:access[_-]?)?key|private[_-]?key|passw(?:or)?d)\\?["']?\s?[:=])\s?\\?["']?)([A-Za-z0-9+/_.~=-]{16,512})/iy,
  isKept: true,
  isRandom: true,
};

const placeholder =
  /your|example|sample|placeholder|changeme|change_me|redacted|dummy|insert|replace|xxxx|\*\*\*|1234567890|0000000|process\.env|os\.environ|getenv|password|passwd|^(?:user|pass|secret|token|null|none|undefined|true|false)$/i;

/** Letters and digits mixed, several different ones, and no word that an example would have. */
export function looksRandom(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && new Set(value).size >= 8 && !isPlaceholder(value);
}

/** `<password>`, `${DB_PASSWORD}`, `your_key`. */
export function isPlaceholder(value: string): boolean {
  return placeholder.test(value) || /^[<${[%]/.test(value);
}

/** A line of a key, as opposed to a sentence about one. */
export const keyLine = /[A-Za-z0-9+/]{40}/;

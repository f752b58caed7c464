/**
 * What results tell a model to do that no data has to: to destroy something, to get more rights, to send something away.
 * Commands as they stand in every manual (`sudo`, `DROP TABLE`) are none; an order to whoever reads is one. Used as the
 * patterns of prompt injection are.
 */
import { gap, optional, type PhrasePattern, phrase, someOf, wording, wordStart } from "../../lib/phrase-patterns.ts";

const things =
  "files? folders? director(?:y|ies) data databases? tables? records? rows? backups? repositor(?:y|ies) branch(?:es)? commits? " +
  "e-?mails? messages? documents? contacts? users? accounts? buckets? volumes? disks? drives? history logs?";
const safeguards =
  "safety security permissions? approvals? confirmations? sandbox(?:ing)? guardrails? authentication authorization " +
  "protections? firewall filters? restrictions? moderation auditing";

export const destructivePatterns: readonly PhrasePattern[] = [
  phrase(
    "delete-everything",
    "delete remove erase wipe destroy purge",
    `${optional("out away the your my these", 2)}${someOf("all every entire everything")}`,
    `${optional("in from of the your user's users' their these existing remote local production", 5)}${someOf(things)}\\b`,
  ),
  wording(
    "destroying-command",
    ["rm -", "mkfs", "drop ", "truncate table", "format ", "git push --force", "remove-item -recurse"],
    /\b(?:rm -(?:rf|fr|r -f)|mkfs|drop (?:table|database|schema)|truncate table|format (?:[a-z]:|\/dev\/)|git push --force|remove-item -recurse)/,
    `${wordStart}(?:run|execute|call|use|type|enter|issue)\\b[^.!?"]{0,60}`,
  ),
];

export const escalationPatterns: readonly PhrasePattern[] = [
  phrase(
    "grant-rights",
    "grant give assign make add",
    `(?:yourself|me|us|${someOf("this the")}${gap}${someOf("agent assistant model session client")})`,
    `${optional("as an? to the full", 3)}${someOf("admin administrator root superuser owner sudo unrestricted elevated")}`,
    `${someOf("access privileges? rights? permissions? roles? groups? users?")}\\b`,
  ),
  // Advisories say that somebody could; this is said to the reader.
  phrase(
    "escalate-privileges",
    "escalate elevate",
    "your",
    `${optional("own user", 1)}${someOf("privileges? permissions? rights access")}\\b`,
  ),
  wording(
    "switch-off-safeguards",
    ["disable", "turn", "switch", "bypass", "circumvent", "deactivate"],
    `(?:${someOf("disable bypass circumvent deactivate")}|${someOf("turn switch")}${gap}off)${gap}(?:${someOf("all any every the your its of")}${gap}){1,3}${optional("user tool human", 2)}${someOf(safeguards)}${gap}${someOf("checks? prompts? controls? rules? filters? mode policies policy requirements? settings?")}\\b`,
  ),
  wording(
    "without-approval",
    ["without"],
    `without${gap}${someOf("asking waiting requesting seeking requiring")}${gap}${optional("for the user's users' user human your any explicit", 4)}${someOf("approval confirmation permission consent")}\\b`,
    `${wordStart}${someOf("proceed continue run execute act so this it")}${gap}`,
  ),
];

/** Whoever documents an API sends data to endpoints too: what counts is that it is all of it, or somebody's, and the address. */
export const exfiltrationPatterns: readonly PhrasePattern[] = [
  wording(
    "send-data",
    ["send", "upload", "post", "forward", "exfiltrate", "transmit", "leak"],
    /(?:send|upload|post|forward|exfiltrate|transmit|leak) (?:(?:the|your|any|of|these|those|full) ){0,3}(?:all|every|entire|contents? of|user's|customer|private|local|internal|confidential) [^.!?"]{0,60}\b(?:to|at|via|into) [^.!?"]{0,20}(?:https?:|[\w.+-]{1,64}@)/,
  ),
  wording(
    "send-by-command",
    ["curl", "wget", "invoke-webrequest"],
    /(?:curl|wget|invoke-webrequest)\b[^\n"|;]{0,120}(?:(?:-d|-f|-t|--data(?:-binary|-raw)?|--form|--upload-file)[ =]?(?:[\w.]{1,32}=)?@?|--post-file[ =]|-infile )(?:~|\$home|\/)?[^\s"]{0,80}(?:\.ssh|\.aws|\.env\b|id_rsa|id_ed25519|\.netrc|\/etc\/(?:passwd|shadow)|credentials)/,
  ),
  wording(
    "image-that-reports",
    ["](http"],
    /\]\(https?:[^)\s"]{0,200}[?&][\w-]{1,40}=(?:\$?\{|\[|<|%7b|%5b|%3c)/,
    /!\[[^\]\n"]{0,80}/,
  ),
];

/**
 * Instructions to a model where data is expected. They are reported and passed on: a text about prompt injection looks the
 * same.
 */
import { atOnce, gap, optional, type PhrasePattern, phrase, phraseRules, someOf, wording } from "./phrase-patterns.ts";

export const injectionPatterns: readonly PhrasePattern[] = [
  phrase(
    "override-instructions",
    [
      "ignore disregard forget override bypass",
      "previous prior above earlier preceding foregoing existing original initial system former past",
    ],
    `${someOf("ignore disregard forget override bypass")}`,
    `${optional("all any every the your my of these those its other", 4)}${someOf("previous prior above earlier preceding foregoing existing original initial system former past")}`,
    `${optional("set system user developer safety of security", 3)}${someOf("instructions? prompts? rules? directions? guidelines? messages? context commands? directives? constraints?")}\\b`,
  ),
  phrase(
    "new-instructions",
    ["instruction"],
    `${someOf("new updated revised real actual important urgent")}`,
    `(?:${someOf("system admin developer security")}${gap})?instructions?`,
    `(?:for${gap}(?:the${gap})?)?${someOf("ai assistant llm model agent you claude chatgpt")}\\b`,
  ),
  atOnce(
    phrase(
      "new-role",
      ["now henceforth"],
      "you",
      `${someOf("are will must shall")}`,
      someOf("now henceforth"),
      `(?:${someOf("an? the my")}${gap})?(?:act|behave|operat|respond|in${gap}(?:developer|debug|god|admin|unrestricted|dan)|dan\\b|(?:unrestricted|unfiltered|uncensored|jailbroken|evil|hacker|different|new)\\b|no${gap}longer${gap}(?:bound|restricted|an?))`,
    ),
  ),
  phrase(
    "keep-from-user",
    ["user human operator", "not never n't n’t", "tell mention inform reveal disclose notify alert show"],
    "(?:do|must|should)(?:n'?t|\\\\?n['’]t)?",
    `(?:not${gap}|never${gap})?${someOf("tell mention inform reveal disclose notify alert show")}`,
    `(?:(?:this|it|that|anything|any|of|about|these|instructions?|to)${gap}){0,6}(?:the${gap}|your${gap})?${someOf("user users human humans operator")}\\b`,
  ),
  atOnce(
    phrase(
      "keep-from-user",
      ["without", "user human operator"],
      "without",
      someOf("telling informing asking notifying alerting mentioning"),
      `(?:(?:this|it|anything|to)${gap}){0,3}(?:the${gap}|your${gap})?${someOf("user users human humans operator")}\\b`,
    ),
  ),
  wording(
    "send-secrets",
    [
      [
        "conversation",
        "chat history",
        "api key",
        "api_key",
        "api-key",
        "password",
        "credential",
        "system prompt",
        "environment variable",
        "private key",
        "session token",
        "ssh key",
      ],
      ["http", "@", "to the ", "via the "],
    ],
    /\b(?:send|post|upload|forward|e-?mail|exfiltrate|transmit|leak|copy|paste|append|include)\b[^.!?"]{0,80}\b(?:conversation|chat history|api[ _-]keys?|passwords?|credentials?|system prompt|environment variables?|private keys?|session tokens?|ssh keys?)\b[^.!?"]{0,40}\b(?:to|at|via|into)\b[^.!?"]{0,20}(?:https?:|[\w.+-]{1,64}@|the (?:url|address|endpoint|webhook|server|following))/i,
  ),
  phrase(
    "reveal-prompt",
    ["prompt instruction", "system initial hidden developer"],
    `${someOf("reveal print repeat output show display disclose leak dump")}`,
    `${optional("me us back the your full entire exact hidden initial complete original of", 4)}${someOf("system initial hidden developer")}`,
    someOf("prompt prompts instructions"),
  ),
  atOnce(
    wording(
      "model-control-tokens",
      [["<|", "inst]", "sys>>"]],
      /<\|(?:im_start|im_end|system|user|assistant|eot_id|start_header_id|begin_of_text)\|>|\[\/?inst\]|<<\/?sys>>/i,
    ),
  ),
  atOnce(
    wording(
      "instruction-tag",
      [["<system", "<important", "<instruction", "<admin", "<secret", "<hidden", "<override", "\\u003c"]],
      /(?:<|\\u003c)(?:system|important|instructions?|admin|secret|hidden|override)(?:[ _-](?:prompt|message|instructions?|note|override|reminder|notice))?(?:>|\\u003e)/i,
    ),
  ),
  wording(
    "speaks-to-the-model",
    [
      [
        "attention",
        "note to",
        "note for",
        "instruction",
        "message to",
        "message for",
        "dear ",
        "hey ",
        "hello ",
        "important for",
      ],
      ["ai", "llm", "language model", "claude", "chatgpt", "gpt", "copilot", "gemini"],
    ],
    /\b(?:attention|note (?:to|for)|instructions? (?:to|for)|message (?:to|for)|dear|hey|hello|important for) (?:all |any |the )?(?:ai|llms?|language models?|ai[ -](?:assistants?|agents?|models?)|claude|chatgpt|gpt-?\d|copilot|gemini)\b/i,
  ),
  wording(
    "speaks-as-the-system",
    [["system", "admin", "developer", "security"]],
    /(?:^|["\n]|\\n)\s{0,8}[[(#*]{0,3}\s?(?:system|admin|developer|security)\s?(?:message|note|notice|override|prompt|instructions?|alert|update|directive)?\s?[\])*]{0,3}\s?:\s{0,4}(?:you|please|ignore|disregard|the (?:ai|assistant|model|agent)|do not|don't|from now|immediately|execute|call|run|new)\b/i,
  ),
  atOnce(
    phrase(
      "call-a-tool",
      ["tool function", "you"],
      "you",
      someOf("must should need have shall"),
      `(?:to${gap})?(?:(?:first|now|immediately|also|then|next|always)${gap}){0,2}${someOf("call invoke run execute use")}`,
      `(?:the${gap})?[\\w.-]{2,64}`,
      "(?:tool|function)\\b",
    ),
  ),
];

/** Rules that the text breaks, each once. */
export function injectionRules(text: string): ReadonlySet<string> {
  return phraseRules(injectionPatterns, text);
}

/** In lower case; one of them is in every text that any pattern matches. */
export const injectionWords: readonly string[] = injectionPatterns.flatMap(({ words }) => words);

/** How text in tag characters begins, as it is and as JSON writers that escape everything write it. */
export const tagMarks: readonly string[] = ["\udb40", "\\udb40", "\\uDB40"];
const tagEscape = /\\u[dD][bB]40/;
const flags = /\u{1f3f4}[\u{e0020}-\u{e007f}]{1,8}/gu;
const tagLetters = /[\u{e0020}-\u{e007e}]{2}|(?:\\u[dD][bB]40\\u[dD][cC][2-7][0-9a-fA-F]){2}/u;

/** Letters that only a machine reads, spelt in tag characters; the flags of regions are spelt in them too. */
export function holdsTagText(text: string): boolean {
  return (text.includes("\udb40") || tagEscape.test(text)) && tagLetters.test(text.replace(flags, ""));
}

/**
 * Instructions to a model where data is expected. They are reported and passed on: a text about prompt injection looks the
 * same.
 */
import {
  gap,
  optional,
  type PhrasePattern,
  PhraseSearch,
  phrase,
  someOf,
  wording,
  wordStart,
} from "./phrase-patterns.ts";

const telling = "tell mention inform reveal disclose notify alert show";
const users = someOf("user users human humans operator");

const tagNames = ["system", "important", "instruction", "admin", "secret", "hidden", "override"];

export const injectionPatterns: readonly PhrasePattern[] = [
  phrase(
    "override-instructions",
    "ignore disregard forget override bypass",
    `${optional("all any every the your my of these those its other", 4)}${someOf("previous prior above earlier preceding foregoing existing original initial system former past")}`,
    `${optional("set system user developer safety of security", 3)}${someOf("instructions? prompts? rules? directions? guidelines? messages? context commands? directives? constraints?")}\\b`,
  ),
  wording(
    "new-instructions",
    ["instruction"],
    `instructions?${gap}(?:for${gap}(?:the${gap})?)?${someOf("ai assistant llm model agent you claude chatgpt")}\\b`,
    `${wordStart}${someOf("new updated revised real actual important urgent")}${gap}(?:${someOf("system admin developer security")}${gap})?`,
  ),
  wording(
    "new-role",
    ["now", "henceforth"],
    `(?:now|henceforth)${gap}(?:${someOf("an? the my")}${gap})?(?:act|behave|operat|respond|in${gap}(?:developer|debug|god|admin|unrestricted|dan)|dan\\b|(?:unrestricted|unfiltered|uncensored|jailbroken|evil|hacker|different|new)\\b|no${gap}longer${gap}(?:bound|restricted|an?))`,
    `${wordStart}you${gap}${someOf("are will must shall")}${gap}`,
  ),
  wording(
    "keep-from-user",
    telling.split(" "),
    `${someOf(telling)}${gap}(?:(?:this|it|that|anything|any|of|about|these|instructions?|to)${gap}){0,6}(?:the${gap}|your${gap})?${users}\\b`,
    `${wordStart}${someOf("do must should")}(?:n\\\\?'?t${gap}|${gap}(?:not|never)${gap})`,
  ),
  phrase(
    "keep-from-user",
    "without",
    someOf("telling informing asking notifying alerting mentioning"),
    `(?:(?:this|it|anything|to)${gap}){0,3}(?:the${gap}|your${gap})?${users}\\b`,
  ),
  wording(
    "send-secrets",
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
    /(?:conversation|chat history|api[ _-]keys?|passwords?|credentials?|system prompt|environment variables?|private keys?|session tokens?|ssh keys?)\b[^.!?"]{0,40}\b(?:(?:to|at|via|into)\b[^.!?"]{0,20}(?:https?:|[\w.+-]{1,64}@)|(?:to|at|via|into) the (?:url|address|endpoint|webhook|server|following))/,
    `${wordStart}(?:send|post|upload|forward|e-?mail|exfiltrate|transmit|leak|copy|paste|append|include)\\b[^.!?"]{0,80}\\b`,
  ),
  wording(
    "reveal-prompt",
    ["prompt", "instructions"],
    "(?:prompt|instructions)",
    `${wordStart}${someOf("reveal print repeat output show display disclose leak dump")}${gap}${optional("me us back the your full entire exact hidden initial complete original of", 4)}${someOf("system initial hidden developer")}${gap}`,
  ),
  wording(
    "model-control-tokens",
    [
      "<|im_start|>",
      "<|im_end|>",
      "<|system|>",
      "<|user|>",
      "<|assistant|>",
      "<|eot_id|>",
      "<|start_header_id|>",
      "<|begin_of_text|>",
      "[inst]",
      "[/inst]",
      "<<sys>>",
      "<</sys>>",
    ],
    /<\|(?:im_start|im_end|system|user|assistant|eot_id|start_header_id|begin_of_text)\|>|\[\/?inst\]|<<\/?sys>>/,
    "",
  ),
  wording(
    "instruction-tag",
    ["<", "\\u003c"].flatMap((mark) => tagNames.map((name) => mark + name)),
    /(?:<|\\u003c)(?:system|important|instructions?|admin|secret|hidden|override)(?:[ _-](?:prompt|message|instructions?|note|override|reminder|notice))?(?:>|\\u003e)/,
    "",
  ),
  wording(
    "speaks-to-the-model",
    ["attention ", "note ", "instruction", "message ", "dear ", "hey ", "hello ", "important for "],
    /(?:attention|note (?:to|for)|instructions? (?:to|for)|message (?:to|for)|dear|hey|hello|important for) (?:all |any |the )?(?:ai|llms?|language models?|ai[ -](?:assistants?|agents?|models?)|claude|chatgpt|gpt-?\d|copilot|gemini)\b/,
  ),
  wording(
    "speaks-as-the-system",
    ["system", "admin", "developer", "security"],
    /(?:system|admin|developer|security)\s?(?:message|note|notice|override|prompt|instructions?|alert|update|directive)?\s?[\])*]{0,3}\s?:\s{0,4}(?:you|please|ignore|disregard|the (?:ai|assistant|model|agent)|do not|don't|from now|immediately|execute|call|run|new)\b/,
    /(?:^|["\n]|\\n)\s{0,8}[[(#*]{0,3}\s?/,
  ),
  phrase(
    "call-a-tool",
    "you",
    someOf("must should need have shall"),
    `(?:to${gap})?(?:(?:first|now|immediately|also|then|next|always)${gap}){0,2}${someOf("call invoke run execute use")}`,
    `(?:the${gap})?[\\w.-]{2,64}`,
    "(?:tool|function)\\b",
  ),
];

const search = new PhraseSearch(injectionPatterns);

/** Rules that the text breaks, each once. */
export function injectionRules(text: string): ReadonlySet<string> {
  return search.rulesIn(text);
}

/** How text in tag characters begins, as JSON writers that escape everything write it. */
const tagEscape = /\\u[dD][bB]40/;
const flags = /\u{1f3f4}[\u{e0020}-\u{e007f}]{1,8}/gu;
const tagLetters = /[\u{e0020}-\u{e007e}]{2}|(?:\\u[dD][bB]40\\u[dD][cC][2-7][0-9a-fA-F]){2}/u;

/** Letters that only a machine reads, spelt in tag characters; the flags of regions are spelt in them too. */
export function holdsTagText(text: string): boolean {
  const mayHold = text.includes("\udb40") || (text.includes("\\u") && tagEscape.test(text));
  return mayHold && tagLetters.test(text.replace(flags, ""));
}

/**
 * What attacks in arguments look like. Every pattern is linear: it begins at a fixed character and repeats bounded runs
 * only (a test counts the steps on 1 MB of the worst input).
 */
import type { Finding } from "./finding.ts";

type Pattern = Pick<Finding, "kind" | "rule" | "severity"> & { readonly pattern: RegExp };

const program =
  "(?:(?:sudo|env|nohup|exec)[ \\t]{1,8}){0,2}(?:/(?:usr/)?(?:local/)?s?bin/)?(?:rm|rmdir|mv|dd|chmod|chown|chgrp|mkfs(?:\\.\\w{1,8})?|cat|head|tail|" +
  "tac|less|more|curl|wget|nc|ncat|netcat|socat|telnet|ftp|tftp|scp|ssh|rsync|(?:ba|z|da|k|c|tc|fi)?sh|busybox|python[23]?|perl|" +
  "ruby|php|lua|powershell(?:\\.exe)?|pwsh|cmd(?:\\.exe)?|certutil|bitsadmin|mshta|eval|sudo|su|kill|pkill|killall|shutdown|" +
  "reboot|halt|touch|tee|whoami|id|uname|env|printenv|ls|find|awk|sed|xargs|nslookup|dig|ping|base64|xxd|crontab|systemctl|" +
  "docker|kubectl|iptables|useradd|passwd|net|reg|type|del|sleep|echo|printf)";
/** Of these, those whose names are no words. */
const unmistakable =
  "(?:(?:sudo|env|nohup|exec)[ \\t]{1,8}){0,2}(?:/(?:usr/)?(?:local/)?s?bin/)?(?:rm|rmdir|chmod|chown|mkfs|curl|wget|nc|ncat|netcat|socat|sudo|" +
  "bash|zsh|python3|perl|powershell(?:\\.exe)?|pwsh|certutil|bitsadmin|mshta|whoami|uname|printenv|xargs|nslookup|crontab|systemctl|" +
  "kubectl|iptables|useradd|passwd|killall|pkill)";
/** What a program is given, as opposed to the next word of a sentence. */
const operand = "[-/~.$\"'`{<>\\\\*\\d]|https?:|[\\w-]{1,64}[./:=@\\\\]\\w";
const separator = "(?:;|&&|\\|\\|?)[ \\t]{0,16}";
const end = "[ \\t]{0,16}(?:$|[;|&<>)\\r\\n#])";

/** In a path, a host, an identifier: any program behind a separator. */
const strict: readonly Pattern[] = [
  {
    kind: "shell",
    rule: "chained-command",
    severity: "high",
    pattern: new RegExp(`(?:;|&&|\\|\\|?|[\\r\\n])[ \\t]{0,16}${program}(?:[ \\t]{1,16}\\S|${end})`, "i"),
  },
  { kind: "shell", rule: "backticks", severity: "high", pattern: /`[^`\r\n]{1,200}`/ },
  { kind: "shell", rule: "command-substitution", severity: "high", pattern: /\$\([^()\r\n]{1,200}\)|[<>]\([a-z]/i },
];

/** In a value whose purpose is not known: only what reads as a command line. */
const likely: readonly Pattern[] = [
  {
    kind: "shell",
    rule: "chained-command",
    severity: "high",
    pattern: new RegExp(
      `${separator}${program}[ \\t]{1,16}(?:${operand})|${separator}${unmistakable}[ \\t]{1,16}\\S|` +
        `(?:;|&&|\\|\\|)[ \\t]{0,16}${program}[ \\t]{0,16}(?:;|&&|\\|\\||$)|\\|[ \\t]{0,16}(?:ba|z|da|k|fi)?sh\\b`,
      "i",
    ),
  },
  {
    kind: "shell",
    rule: "command-substitution",
    severity: "high",
    pattern: new RegExp(`\\$\\([ \\t]{0,8}${program}[ \\t)<|;&]`, "i"),
  },
  {
    kind: "shell",
    rule: "backticks",
    severity: "high",
    pattern: new RegExp(`\`[ \\t]{0,8}${program}[ \\t\`|;&]`, "i"),
  },
];

/** Wherever neither prose nor code is expected. */
const everywhere: readonly Pattern[] = [
  { kind: "shell", rule: "field-separator", severity: "high", pattern: /\$\{?IFS\b/ },
  { kind: "shell", rule: "network-device", severity: "high", pattern: /\/dev\/(?:tcp|udp)\// },
  {
    kind: "shell",
    rule: "write-to-system",
    severity: "high",
    pattern: />[ \t]{0,8}(?:\/(?:etc|root|boot|proc|sys|s?bin|usr|lib)\/|~\/\.)/,
  },
  {
    kind: "path",
    rule: "encoded-traversal",
    severity: "high",
    pattern:
      /(?:\.\.|\.%2e|%2e\.|%2e%2e|%252e%252e|\.%252e)(?:%2f|%5c|%252f|%255c|%c0%af|%c1%9c)|(?:%2e%2e|%252e%252e|\.%2e|%2e\.)[/\\]|%c0%ae|\.\.;\/|\.{4}\/\//i,
  },
  {
    kind: "path",
    rule: "system-file",
    severity: "high",
    pattern:
      /(?:^|[^\w.-])\/?(?:etc\/(?:passwd|shadow|gshadow|sudoers|master\.passwd|security\/passwd)(?![\w-])|proc\/(?:self|thread-self|\d{1,7})\/(?:environ|mem|maps|cmdline|cwd|root|fd)(?!\w)|windows[/\\](?:system32[/\\]config|win\.ini|system\.ini|repair)|boot\.ini(?!\w))/i,
  },
  {
    kind: "path",
    rule: "credential-file",
    severity: "high",
    pattern:
      /(?:^|[/\\~])(?:\.ssh(?:[/\\]|$)|\.aws[/\\](?:credentials|config)|\.gnupg[/\\]|\.kube[/\\]config|\.docker[/\\]config\.json|\.netrc$|\.git-credentials|\.config[/\\](?:gcloud|gh|rclone)[/\\]|\.pgpass|id_(?:rsa|ed25519|ecdsa|dsa)(?![\w.]))/i,
  },
  {
    kind: "sql",
    rule: "tautology",
    severity: "medium",
    pattern:
      /['")][ \t]{0,8}(?:or|and)[ \t]{1,8}(?:'[^'\r\n]{0,32}'|"[^"\r\n]{0,32}"|\d{1,9})[ \t]{0,4}(?:=|<|>|like)[ \t]{0,4}['"\d]|(?:^|\s)\d{1,9}[ \t]{1,4}or[ \t]{1,4}(\d{1,9})[ \t]{0,4}=[ \t]{0,4}\1/i,
  },
  {
    kind: "sql",
    rule: "union-select",
    severity: "medium",
    pattern: /['")\d][ \t]{0,8}union[ \t]{1,8}(?:all[ \t]{1,8})?select\s/i,
  },
  {
    kind: "sql",
    rule: "stacked-query",
    severity: "medium",
    pattern:
      /['")\d][ \t]{0,8};[ \t]{0,8}(?:drop|delete|insert|update|alter|truncate|create|exec(?:ute)?|shutdown|waitfor)\s/i,
  },
  { kind: "sql", rule: "comment", severity: "medium", pattern: /\w'[ \t]{0,4}(?:--|\/\*|#[ \t]{0,4}$)/ },
];

/** Prose quotes attacks; only a text that is nothing else is one. */
const wholeText: readonly Pattern[] = [
  {
    kind: "shell",
    rule: "chained-command",
    severity: "high",
    pattern: new RegExp(
      `^[\\w./-]{0,64}[ \\t]{0,8}${separator}${program}(?:[ \\t]{1,16}(?:${operand})|[ \\t]{0,8}$)`,
      "i",
    ),
  },
  {
    kind: "shell",
    rule: "command-substitution",
    severity: "high",
    pattern: new RegExp(`^\\s{0,8}\\$\\([ \\t]{0,8}${program}(?:[ \\t][^()\\r\\n]{0,200})?\\)\\s{0,8}$`, "i"),
  },
  {
    kind: "path",
    rule: "traversal",
    severity: "high",
    pattern: /^(?:file:\/\/)?[\w./\\-]{0,64}(?:\.\.[/\\]){2,16}(?:etc|proc|root|home|windows)[/\\][\w./\\-]{1,200}$/i,
  },
];

export const requestPatterns = {
  atom: [...strict, ...everywhere],
  unknown: [...likely, ...everywhere],
  prose: wholeText,
} as const;

/** Tokens that begin another speaker's turn in the prompt formats of common models. */
export const memoryPattern =
  /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text)\|>|\[\/?INST\]|<<\/?SYS>>|^\s{0,8}(?:system|assistant)[ \t]{0,4}:[ \t]{0,4}\S|"role"[ \t]{0,4}:[ \t]{0,4}"system"/im;
export const encodedBlob = /https?:\/\/|[A-Za-z0-9+/]{32,64}/;

/** The three shells' ways of saying the same. */
import type { CompletedCommand, CompletedOption } from "./completions.ts";

const program = "mcp-gateway";
/** Prints the names of the backends, whatever configuration the line names. */
const backendNames = `${program} list --json 2>/dev/null | sed -n 's/^    "name": "\\(.*\\)",*$/\\1/p'`;
const knownNames = `${program} list --known 2>/dev/null | sed 's/ .*//'`;
const capabilityNames = `${program} tool list --format plain 2>/dev/null`;
const skillNames = `${program} skills list --format plain 2>/dev/null`;

export function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map((command) => {
    const flags = command.options.flatMap(({ name, alias }) => [
      `--${name}`,
      ...(alias === undefined ? [] : [`-${alias}`]),
    ]);
    return [
      `    ${quoted(command.path.join(" "))})`,
      `      flags=${quoted(flags.join(" "))}`,
      `      words=${bashWords(command)}`,
      ...(command.word === "path" ? ["      files=1"] : []),
      "      ;;",
    ].join("\n");
  });
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap((option) => {
      if (option.value === "none") return [];
      const names = [`--${option.name}`, ...(option.alias === undefined ? [] : [`-${option.alias}`])];
      const patterns = names.map((name) => quoted(`${path.join(" ")}:${name}`)).join("|");
      return [`    ${patterns}) ${bashValue(option)} ;;`];
    }),
  );
  const known = commands.map(({ path }) => path.join(" ")).filter((path) => path !== "");
  return `# bash completion of ${program}: source <(${program} completions bash)
_mcp_gateway() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word flags="" words="" files=""
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -- ]] && return
    case "\${path:+$path }$word" in
      ${known.map(quoted).join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path:$previous" in
${values.join("\n")}
  esac
  case "$path" in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n $files ]]; then COMPREPLY=($(compgen -f -- "$current"))
  else COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o filenames -F _mcp_gateway ${program}
`;
}

function bashWords({ subCommands, word }: CompletedCommand): string {
  if (word === "backend") return `"$(${backendNames})"`;
  if (word === "known server") return `"$(${knownNames})"`;
  if (word === "capability") return `"$(${capabilityNames})"`;
  if (word === "skill") return `"$(${skillNames})"`;
  return quoted([...subCommands, ...(Array.isArray(word) ? word : [])].join(" "));
}

function bashValue({ value }: CompletedOption): string {
  if (value === "path") return 'COMPREPLY=($(compgen -f -- "$current")); return';
  if (value === "any" || value === "none") return "return";
  return `COMPREPLY=($(compgen -W ${quoted(value.join(" "))} -- "$current")); return`;
}

export function zshScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map((command) => {
    const specs = command.options.map((option) => `      ${zshOption(option)}`);
    return [
      `    ${quoted(command.path.join(" "))})`,
      "      _arguments -s \\",
      [...specs, `      ${zshWords(command, commands)}`].join(" \\\n"),
      "      ;;",
    ].join("\n");
  });
  const known = commands.map(({ path }) => path.join(" ")).filter((path) => path !== "");
  return `#compdef ${program}
# zsh completion of ${program}: ${program} completions zsh > "\${fpath[1]}/_${program}"
_mcp_gateway_backends() { local -a names; names=(\${(f)"$(${backendNames})"}); compadd -a names }
_mcp_gateway_known() { local -a names; names=(\${(f)"$(${knownNames})"}); compadd -a names }
_mcp_gateway_capabilities() { local -a names; names=(\${(f)"$(${capabilityNames})"}); compadd -a names }
_mcp_gateway_skills() { local -a names; names=(\${(f)"$(${skillNames})"}); compadd -a names }
_mcp_gateway() {
  # Not called "path", which is PATH in zsh.
  local named="" word
  integer at
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    case "\${named:+$named }$word" in
      ${known.map((name) => quoted(name)).join("|")}) named="\${named:+$named }$word" ;;
    esac
  done
  # The names of commands are no words of theirs.
  local -a parts; parts=(\${(s: :)named})
  words=("$words[1]" "\${(@)words[2,-1]:|parts}"); (( CURRENT -= \${#parts} ))
  case "$named" in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _${program} ]]; then _mcp_gateway "$@"; else compdef _mcp_gateway ${program}; fi
`;
}

function zshOption({ name, alias, description, value }: CompletedOption): string {
  const text = description.replace(/[[\]:\\]/g, "\\$&");
  const action =
    value === "none"
      ? ""
      : value === "path"
        ? ":path:_files"
        : value === "any"
          ? ":value: "
          : `:value:(${value.join(" ")})`;
  const equals = value === "none" ? "" : "=";
  const long = quoted(`*--${name}${equals}[${text}]${action}`);
  return alias === undefined ? long : `${long} ${quoted(`*-${alias}${value === "none" ? "" : "+"}[${text}]${action}`)}`;
}

function zshWords({ path, subCommands, word }: CompletedCommand, commands: readonly CompletedCommand[]): string {
  if (word === "backend") return "'1:backend:_mcp_gateway_backends'";
  if (word === "known server") return "'1:name:_mcp_gateway_known' '*:command:_files'";
  if (word === "capability") return "'1:name:_mcp_gateway_capabilities'";
  if (word === "skill") return "'1:name:_mcp_gateway_skills'";
  if (word === "path") return "'*:file:_files'";
  if (Array.isArray(word)) return quoted(`1:word:(${word.join(" ")})`);
  if (subCommands.length === 0) return "'*: :'";
  const named = subCommands.map((name) => {
    const inner = commands.find((one) => one.path.join(" ") === [...path, name].join(" "));
    return `${name}\\:"${(inner?.description ?? "").replace(/["\\:()]/g, (char) => `\\${char}`)}"`;
  });
  return quoted(`1:command:((${named.join(" ")}))`);
}

export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => [
    ...command.options.map((option) => fishOption(command, option)),
    ...command.subCommands.map((name) => {
      const inner = commands.find((one) => one.path.join(" ") === [...command.path, name].join(" "));
      return `${fishFor(command)} -f -a ${quoted(name)} -d ${quoted(inner?.description ?? "")}`;
    }),
    ...fishWords(command),
  ]);
  const known = commands.map(({ path }) => path.join(" ")).filter((path) => path !== "");
  return `# fish completion of ${program}: ${program} completions fish | source
function __mcp_gateway_at
    set -l path
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        contains -- $next ${known.map(quoted).join(" ")}; and set path $path $word
    end
    test "$path" = "$argv[1]"
end
complete -c ${program} -e
${lines.join("\n")}
`;
}

function fishFor({ path }: CompletedCommand): string {
  return `complete -c ${program} -n ${quoted(`__mcp_gateway_at "${path.join(" ")}"`)}`;
}

function fishOption(command: CompletedCommand, { name, alias, description, value }: CompletedOption): string {
  const short = alias === undefined ? "" : ` -s ${alias}`;
  const takes =
    value === "none" ? "" : value === "path" ? " -r -F" : value === "any" ? " -x" : ` -x -a ${quoted(value.join(" "))}`;
  return `${fishFor(command)} -l ${name}${short}${takes} -d ${quoted(description)}`;
}

function fishWords(command: CompletedCommand): string[] {
  const { word } = command;
  if (word === undefined) return [];
  if (word === "path") return [`${fishFor(command)} -F`];
  const commands = {
    backend: backendNames,
    "known server": knownNames,
    capability: capabilityNames,
    skill: skillNames,
  };
  const names = typeof word === "string" ? `(${commands[word]})` : word.join(" ");
  return [`${fishFor(command)} -f -a ${quoted(names)}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import type { Command, Option } from 'commander';

import { STATUS } from './status.js';

/** Shells that are completed for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** What a verb takes. */
interface VerbWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly flags: readonly string[]; readonly about: string }[];
  /** Values by the option that takes them. */
  readonly values: readonly {
    readonly flags: readonly string[];
    readonly values: readonly string[];
  }[];
  /** Words that its arguments can be. */
  readonly choices: readonly string[];
  /** Whether its arguments are URLs of objects. */
  readonly urls: boolean;
}

/**
 * The verb `completion`.
 *
 * @param octoipc - the whole command
 * @param shell - which language the script is to be in
 * @param options - of the command line
 * @returns the exit status
 */
export function completion(
  octoipc: Command,
  shell: Shell,
  { json = false }: { readonly json?: boolean },
): number {
  const script = SCRIPTS[shell](verbsOf(octoipc));
  process.stdout.write(json ? `${JSON.stringify({ shell, script }, null, 2)}\n` : script);
  return STATUS.ok;
}

function verbsOf(octoipc: Command): VerbWords[] {
  const help = octoipc.createHelp();
  return help.visibleCommands(octoipc).map((verb) => {
    const options = help.visibleOptions(verb);
    const names = verb.registeredArguments.map((argument) => argument.name());
    return {
      name: verb.name(),
      summary: verb.summary() || verb.description(),
      options: options.map((option) => ({ flags: flagsOf(option), about: option.description })),
      values: options.flatMap((option) =>
        option.argChoices === undefined
          ? []
          : { flags: flagsOf(option), values: option.argChoices },
      ),
      choices: verb.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
      urls: names.some((name) => ['url', 'what', 'pattern'].includes(name)),
    };
  });
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

const SCRIPTS: Readonly<Record<Shell, (verbs: readonly VerbWords[]) => string>> = {
  bash,
  zsh,
  fish,
};

/** Text between single quotes, for all three shells but for fish's backslash, which no text here has. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function bash(verbs: readonly VerbWords[]): string {
  const cases = verbs.map(({ name, options, values, choices, urls }) => {
    const valueCases = values.map(
      (each) => `        ${each.flags.join('|')}) words=(${each.values.join(' ')}) ;;\n`,
    );
    const flags = options.flatMap((option) => option.flags).join(' ');
    return `    ${name})
      case "$before" in
${valueCases.join('')}        *)
          if [[ $current == -* ]]; then words=(${flags})
          else ${urls ? 'mapfile -t words < <(octoipc ls --urls 2>/dev/null)' : `words=(${choices.join(' ')})`}; fi ;;
      esac ;;
`;
  });
  return `# octoipc completion bash: source <(octoipc completion bash), in ~/.bashrc for instance.
_octoipc() {
  local line=\${COMP_LINE:0:COMP_POINT} current before verb word
  local -a typed words=()
  read -ra typed <<<"$line"
  verb=\${typed[1]-}
  # COMP_WORDS are parted at colons, which URLs have.
  if [[ $line == *' ' ]]; then current=''; else current=\${typed[-1]}; fi
  if [[ $line == *' ' ]]; then before=\${typed[-1]}; else before=\${typed[-2]-}; fi
  if ((\${#typed[@]} < 2)) || { ((\${#typed[@]} == 2)) && [[ $line != *' ' ]]; }; then
    words=(${verbs.map(({ name }) => name).join(' ')} --help --version)
  else
    case "$verb" in
${cases.join('').replaceAll(/^ {4}/gm, '      ')}    esac
  fi
  # By hand and quoted: others choose names, and compgen -W, or the line itself, would run what is in them.
  COMPREPLY=()
  for word in "\${words[@]}"; do
    printf -v word %q "$word"
    if [[ $word == "$current"* ]]; then COMPREPLY+=("$word"); fi
  done
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*:}"}"}")
  fi
  ((\${#COMPREPLY[@]})) || [[ $verb != tour ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -o nosort -F _octoipc octoipc
`;
}

function zsh(verbs: readonly VerbWords[]): string {
  const cases = verbs.map(({ name, options, values, choices, urls }) => {
    const valueCases = values.map(
      (each) => `        ${each.flags.join('|')}) compadd -- ${each.values.join(' ')}; return ;;\n`,
    );
    const described = options.map(({ flags, about }) =>
      flags.map((flag) => quoted(`${flag}:${about}`)).join(' '),
    );
    const rest = urls
      ? 'urls=("${(@f)$(octoipc ls --urls 2>/dev/null)}"); compadd -- $urls'
      : choices.length > 0
        ? `compadd -- ${choices.join(' ')}`
        : '_files';
    return `    ${name})
      case \${words[CURRENT-1]} in
${valueCases.join('')}      esac
      if [[ $PREFIX == -* ]]; then
        options=(${described.join(' ')})
        _describe option options
      else ${rest}; fi ;;
`;
  });
  return `#compdef octoipc
# octoipc completion zsh: source <(octoipc completion zsh), in ~/.zshrc after compinit.
_octoipc() {
  local -a verbs options urls
  if ((CURRENT == 2)); then
    verbs=(${verbs.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(' ')})
    _describe verb verbs
    return
  fi
  case \${words[2]} in
${cases.join('')}  esac
}
compdef _octoipc octoipc
`;
}

function fish(verbs: readonly VerbWords[]): string {
  const lines = verbs.flatMap(({ name, summary, options, values, choices, urls }) => {
    const here = `complete -c octoipc -n '__fish_seen_subcommand_from ${name}'`;
    const valuesOf = (flags: readonly string[]): string => {
      const found = values.find((each) => each.flags === flags || each.flags[0] === flags[0]);
      return found === undefined ? '' : ` -xa ${quoted(found.values.join(' '))}`;
    };
    return [
      `complete -c octoipc -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...options.map(({ flags, about }) => {
        const words = flags.map((flag) =>
          flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        return `${here} ${words.join(' ')} -d ${quoted(about)}${valuesOf(flags)}`;
      }),
      ...(urls ? [`${here} -a '(octoipc ls --urls 2>/dev/null)'`] : []),
      ...(choices.length > 0 ? [`${here} -a ${quoted(choices.join(' '))}`] : []),
      ...(name === 'tour' ? [`${here} -F`] : []),
    ];
  });
  return `# octoipc completion fish: octoipc completion fish | source, in ~/.config/fish/config.fish.
complete -c octoipc -f
${lines.join('\n')}
`;
}

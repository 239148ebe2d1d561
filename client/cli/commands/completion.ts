import { Argument, type Command } from 'commander';

/**
 * The words to offer, by what stands before the cursor: `/keys/list` for the commands, `/keys/list --state` after an option
 * that has choices.
 */
type Table = ReadonlyMap<string, readonly string[]>;

const FUNCTION = '_token_orchestrator';

/** Prints a script for the user's shell, made from commander's own tree of commands. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('Print what lets your shell complete the commands and options')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .addHelpText('after', '\nExample:\n  $ token-orchestrator completion bash >> ~/.bashrc')
    .action((shell: keyof typeof SHELLS) => {
      process.stdout.write(SHELLS[shell](tableOf(program)));
    });
}

function tableOf(command: Command, path = ''): Table {
  const options = command.createHelp().visibleOptions(command);
  const rows = new Map<string, readonly string[]>([
    [path, [...command.commands.map((child) => child.name()), ...options.map(({ long }) => long ?? '')]],
  ]);
  for (const { long, argChoices } of options) {
    if (argChoices !== undefined) rows.set(`${path} ${long}`, [...argChoices]);
  }
  for (const child of command.commands) {
    for (const [at, words] of tableOf(child, `${path}/${child.name()}`)) rows.set(at, words);
  }
  return rows;
}

/** bash and zsh read the same `case`. */
function posixCases(table: Table): { commands: string; words: string } {
  const commands = [...table.keys()].filter((at) => at !== '' && !at.includes(' '));
  const words = [...table].map(([at, found]) => `    '${at}') offered='${found.join(' ')}' ;;`);
  return { commands: commands.join('|'), words: words.join('\n') };
}

/** `at` is where the commands lead, `last` the word before the one that is completed. */
function posixBody(table: Table): string {
  const { commands, words } = posixCases(table);
  return `  local at='' last='' word offered=''
  for word in "\${before[@]}"; do
    case "$at/$word" in ${commands}) at="$at/$word" ;; esac
    last=$word
  done
  for word in "$at $last" "$at"; do
    [ -n "$offered" ] || case "$word" in
${words}
    esac
  done`;
}

const SHELLS = {
  bash: (table: Table) => `${FUNCTION}() {
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${posixBody(table)}
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${FUNCTION} token-orchestrator
`,

  zsh: (table: Table) => `#compdef token-orchestrator
${FUNCTION}() {
  local before=("\${(@)words[2,CURRENT-1]}")
${posixBody(table)}
  compadd -- \${=offered} || _default
}
compdef ${FUNCTION} token-orchestrator
`,

  fish: (table: Table) => {
    const { commands } = posixCases(table);
    const rows = [...table].map(
      ([at, words]) => `      case '${at}'\n        set offered ${words.join(' ')}`,
    );
    return `function ${FUNCTION}
  set -l at ''
  set -l last ''
  set -l offered
  for word in (commandline -opc)[2..]
    switch "$at/$word"
      case ${commands.replaceAll('|', ' ')}
        set at "$at/$word"
    end
    set last $word
  end
  for place in "$at $last" $at
    test -n "$offered"; and break
    switch $place
${rows.join('\n')}
    end
  end
  printf '%s\\n' $offered
end
complete -c token-orchestrator -a '(${FUNCTION})'
`;
  },
};

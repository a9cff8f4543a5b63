import { type Command, locationOptions } from '../command.ts';
import { exitCodes } from '../terminal.ts';

export const completion: Command = {
  name: 'completion',
  argument: { name: '<shell>', help: 'your shell', choices: ['bash', 'zsh', 'fish'] },
  summary: 'completes commands and options in your shell',
  details: `Write this into the file of your shell:
  bash: source <(sendonce completion bash)      in ~/.bashrc
  zsh:  source <(sendonce completion zsh)       in ~/.zshrc, after compinit
  fish: sendonce completion fish | source       in ~/.config/fish/config.fish`,
  async run({ words }, terminal) {
    // Imported here, because the list of commands contains this one.
    const { commands } = await import('./index.ts');
    terminal.out(scripts[words[0]!]!(commands));
    return exitCodes.ok;
  },
};

const commonOptions = [...Object.keys(locationOptions), 'json', 'help', 'version'];

function listOptions({ options = [] }: Command): string {
  const own = options.map(([flags]) => /--([\w-]+)/.exec(flags)![1]!);
  return [...own, ...commonOptions].map((name) => `--${name}`).join(' ');
}

const scripts: Record<string, (commands: readonly Command[]) => string> = {
  bash: (commands) => `_sendonce() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map((command) => `    ${command.name}) COMPREPLY=($(compgen -W "${listOptions(command)}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _sendonce sendonce`,

  zsh: (commands) => `_sendonce() {
  if (( CURRENT == 2 )); then
    local -a names=(${commands.map(({ name, summary }) => `'${name}:${escapeQuotes(summary.replaceAll(':', '\\:'))}'`).join(' ')})
    _describe 'command' names
    return
  fi
  case "\${words[2]}" in
${commands.map((command) => `    ${command.name}) compadd -- ${listOptions(command)} ;;`).join('\n')}
  esac
  _files
}
compdef _sendonce sendonce`,

  fish: (commands) =>
    [
      ...commands.map(
        ({ name, summary }) =>
          `complete -c sendonce -f -n __fish_use_subcommand -a ${name} -d '${escapeQuotes(summary)}'`,
      ),
      ...commands.flatMap((command) =>
        listOptions(command)
          .split(' ')
          .map(
            (option) =>
              `complete -c sendonce -n '__fish_seen_subcommand_from ${command.name}' -l ${option.slice(2)}`,
          ),
      ),
    ].join('\n'),
};

/** Escapes a text for single quotes of a shell. */
function escapeQuotes(text: string): string {
  return text.replaceAll("'", "'\\''");
}

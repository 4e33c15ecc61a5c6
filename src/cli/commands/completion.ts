import type { Command } from '../command.js';
import { optionsOf } from '../options.js';
import { UsageError } from '../usage-error.js';

const shells = ['bash', 'zsh'] as const;

/** @param all every command; a function, since the table of commands holds this one too */
export const completion = (all: () => readonly Command[]): Command => ({
  name: 'completion',
  positionals: '[shell]',
  summary: 'Print a script that completes commands and flags with the Tab key',
  details: 'Prints a completion script for bash (or zsh), to be sourced.',
  examples: [
    ['source <(taba completion bash)', 'in ~/.bashrc'],
    ['source <(taba completion zsh)', 'in ~/.zshrc, after compinit'],
  ],
  options: {},
  async run(args, io) {
    const shell = args.positionals[0] ?? 'bash';
    if (!shells.some((known) => known === shell)) {
      throw new UsageError(`${shell}: completion knows ${shells.join(' and ')}`);
    }
    io.out(script(all(), shell === 'zsh'));
    return 0;
  },
});

/** One script for both: zsh runs bash completions through bashcompinit. Names of tabs are asked from the server. */
function script(commands: readonly Command[], isZsh: boolean): string {
  const cases = commands.map((command) => {
    const flags = Object.keys(optionsOf(command)).map((flag) => `--${flag}`);
    return `    ${command.name}) words='${[...flags, '--help'].join(' ')}' ;;`;
  });
  const names = commands.map((command) => command.name).join(' ');
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_taba() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names} --help --version' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *)
      case "\${COMP_WORDS[1]}" in
        agg|proj|types|delete|recompute)
          # Whoever records chooses the names: compgen -W would carry out what a shell reads in them.
          local name quoted
          while IFS= read -r name; do
            printf -v quoted %q "$name"
            if [[ "$name" == "$current"* || "$quoted" == "$current"* ]]; then COMPREPLY+=("$quoted"); fi
          done < <(taba names 2>/dev/null) ;;
        *) COMPREPLY=($(compgen -f -- "$current")) ;;
      esac ;;
  esac
}
complete -F _taba taba
`;
}

import { askOptions, workAndPrint } from '../ask.js';
import type { Command } from '../command.js';

export const check: Command = {
  name: 'check',
  positionals: '',
  summary: 'Look for faults in what is stored',
  details:
    'Looks at every State, wherever it is, and on Redis at every key: what belongs to nothing, has the wrong type, or a position that makes no sense.',
  examples: [
    ['taba check', 'look only'],
    ['taba check --repair', 'and put right what can be'],
  ],
  options: {
    ...askOptions,
    repair: {
      placeholder: '',
      description: 'set damaged States aside and remove what belongs to nothing, instead of only naming it',
    },
  },
  run: (args, io) =>
    workAndPrint(args, io, 'checking every State', '/check', { repair: args.isOn('repair') }),
};

import { askOptions, workAndPrint } from '../ask.js';
import type { Command } from '../command.js';

export const check: Command = {
  name: 'check',
  positionals: '',
  summary: 'Read every State and say which are damaged',
  examples: [
    ['taba check', 'look only'],
    ['taba check --repair', 'set damaged States aside'],
  ],
  options: {
    ...askOptions,
    repair: { placeholder: '', description: 'set what is damaged aside, instead of only naming it' },
  },
  run: (args, io) =>
    workAndPrint(args, io, 'checking every State', '/check', { repair: args.isOn('repair') }),
};

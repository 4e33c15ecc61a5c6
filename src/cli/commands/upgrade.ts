import { askOptions, workAndPrint } from '../ask.js';
import type { Command } from '../command.js';

export const upgrade: Command = {
  name: 'upgrade',
  positionals: '',
  summary: 'Rewrite States of older versions in the present one',
  examples: [['taba upgrade', 'old States also work as they are: this saves the conversion at every read']],
  options: askOptions,
  run: (args, io) => workAndPrint(args, io, 'rewriting States of older versions', '/upgrade'),
};

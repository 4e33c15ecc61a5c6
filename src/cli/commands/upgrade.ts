import { askAndPrint, askOptions } from '../ask.js';
import type { Command } from '../command.js';

export const upgrade: Command = {
  name: 'upgrade',
  positionals: '',
  summary: 'Rewrite States of older versions in the present one',
  examples: [['taba upgrade', 'old States also work as they are: this saves the conversion at every read']],
  options: askOptions,
  run: (args, io) => askAndPrint(args, io, { path: '/upgrade', method: 'POST' }),
};

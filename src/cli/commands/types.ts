import { askAndPrint, selection, selectOptions } from '../ask.js';
import type { Command } from '../command.js';

export const types: Command = {
  name: 'types',
  positionals: '[names..]',
  summary: 'Show the type of each tab',
  examples: [
    ['taba types', 'every tab with its type'],
    ['taba types bids_won', 'of one tab'],
  ],
  options: selectOptions,
  run: (args, io) => askAndPrint(args, io, '/types', selection(args)),
};

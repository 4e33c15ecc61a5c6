import { askAndPrint, selection, selectOptions } from '../ask.js';
import type { Command } from '../command.js';

export const names: Command = {
  name: 'names',
  positionals: '[names..]',
  summary: 'List the tabs',
  examples: [
    ['taba names', 'all of them, one per line'],
    ["taba names --re 'bids_.*'", 'those that match'],
  ],
  options: selectOptions,
  run: (args, io) => askAndPrint(args, io, '/names', selection(args)),
};

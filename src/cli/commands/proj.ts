import { askAndPrint, selection, showOptions } from '../ask.js';
import type { Command } from '../command.js';

export const proj: Command = {
  name: 'proj',
  positionals: '<names..>',
  summary: 'Show tabs per client',
  examples: [
    ['taba proj winning_bid_price', 'one line per client'],
    ['taba proj winning_bid_price --client host-1', 'of one client'],
  ],
  options: showOptions,
  run: (args, io) => askAndPrint(args, io, '/projection', selection(args)),
};

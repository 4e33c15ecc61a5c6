import { askAndPrint, selection, showOptions } from '../ask.js';
import type { Command } from '../command.js';

export const agg: Command = {
  name: 'agg',
  positionals: '<names..>',
  summary: 'Show tabs over all clients',
  examples: [
    ['taba agg winning_bid_price', 'counts, totals and percentiles over the whole cluster'],
    ["taba agg --re 'bid.*' --json", 'every tab that begins with bid, for programs'],
    ['taba agg bids_won --client host-1,host-2', 'over two clients only'],
    ["taba agg --re 'bid.*' --partial", 'what can be had while some servers are away'],
  ],
  options: showOptions,
  run: (args, io) => askAndPrint(args, io, '/tabs', selection(args)),
};

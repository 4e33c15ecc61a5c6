import { selection, workAndPrint, workOptions } from '../ask.js';
import type { Command } from '../command.js';

export const recompute: Command = {
  name: 'recompute',
  positionals: '[names..]',
  summary: 'Make the aggregates of tabs anew from their clients',
  details:
    'Makes the State over all clients anew from the States of the clients, and from what is kept of clients that are forgotten by now. Without names: of all tabs. Fails where a bucket is not served: the others are done.',
  examples: [['taba recompute winning_bid_price', 'of one tab']],
  options: workOptions,
  run: (args, io) => workAndPrint(args, io, 'making aggregates anew', '/recompute', selection(args)),
};

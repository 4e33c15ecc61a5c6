import { askAndPrint, askOptions } from '../ask.js';
import type { Command } from '../command.js';

export const status: Command = {
  name: 'status',
  positionals: '',
  summary: 'Show how the cluster is doing: queues, books, owners',
  examples: [['taba status', 'what runs, what waits, and whether the books balance']],
  options: askOptions,
  run: (args, io) => askAndPrint(args, io, '/status'),
};

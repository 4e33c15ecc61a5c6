import { askAndPrint, lookOptions } from '../ask.js';
import type { Command } from '../command.js';

export const clients: Command = {
  name: 'clients',
  positionals: '',
  summary: 'List the clients that have recorded something',
  examples: [['taba clients', 'one client id per line']],
  options: lookOptions,
  run: (args, io) => askAndPrint(args, io, '/clients'),
};

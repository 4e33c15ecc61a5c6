import { askAndPrint, askOptions } from '../ask.js';
import type { Command } from '../command.js';

export const servers: Command = {
  name: 'servers',
  positionals: '',
  summary: 'List the servers and their roles',
  examples: [['taba servers', 'every server with its roles']],
  options: askOptions,
  run: (args, io) => askAndPrint(args, io, '/servers'),
};

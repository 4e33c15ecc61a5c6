import { askOptions, workAndPrint } from '../ask.js';
import type { Command } from '../command.js';

export const gc: Command = {
  name: 'gc',
  positionals: '',
  summary: 'Forget clients and tabs that are idle for too long, now',
  examples: [['taba gc', 'what the servers do by themselves from time to time']],
  options: askOptions,
  run: (args, io) => workAndPrint(args, io, 'looking for what is idle', '/gc'),
};

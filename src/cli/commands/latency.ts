import { askAndPrint, askOptions } from '../ask.js';
import type { Command } from '../command.js';

export const latency: Command = {
  name: 'latency',
  positionals: '',
  summary: 'Show how long events take until they can be read',
  examples: [['taba latency', 'seconds to be queued and to be counted']],
  options: askOptions,
  run: (args, io) => askAndPrint(args, io, '/latency'),
};

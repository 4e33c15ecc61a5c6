import { askAndPrint, selection, showOptions } from '../ask.js';
import type { Command } from '../command.js';

const { re: _, ...options } = showOptions;

export const superAggregate: Command = {
  name: 'super',
  positionals: '<pattern>',
  summary: 'Show one aggregate over several tabs of one type',
  details:
    'One aggregate over every tab that the regular expression matches, from the beginning of its name. The tabs must be of one type.',
  examples: [["taba super 'bid_latency;exchange=.*'", 'latency over all exchanges']],
  options,
  run: (args, io) => askAndPrint(args, io, '/supertabs', { ...selection(args), re: true }),
};

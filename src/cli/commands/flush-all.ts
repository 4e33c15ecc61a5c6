import { askAndPrint, askOptions } from '../ask.js';
import type { Command } from '../command.js';
import { confirm } from '../confirm.js';
import { integer, list } from '../settings/kinds.js';
import { UsageError } from '../usage-error.js';

const buckets = list(integer(0, 65_535));

export const flushAll: Command = {
  name: 'flush-all',
  positionals: '',
  summary: 'Throw away what waits to be counted',
  details: 'Discards pending Blocks, counts them as dropped, and says how many events that were.',
  examples: [['taba flush-all --bucket 17 --yes', 'of one bucket, without asking']],
  options: {
    ...askOptions,
    bucket: {
      placeholder: 'N',
      description: 'only of this bucket; several are separated by commas',
      many: true,
    },
    yes: { placeholder: '', description: 'discard without asking' },
  },
  async run(args, io) {
    const written = args.flags.get('bucket');
    const chosen = written && buckets.fromTexts(written, '');
    if (written !== undefined && chosen === undefined) {
      throw new UsageError(
        `--bucket: ${JSON.stringify(written.join(','))} is wrong: it takes ${buckets.takes}`,
      );
    }
    const what = chosen === undefined ? 'all buckets' : `bucket ${chosen.join(', ')}`;
    if (!(await confirm(args, io, `Throw away what waits to be counted in ${what}?`))) return 1;
    return askAndPrint(args, io, '/flush_all', chosen && { buckets: chosen });
  },
};

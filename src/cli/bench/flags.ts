import { askOptions } from '../ask.js';
import type { Arguments, Option } from '../command.js';
import { nodeUrl } from '../settings/kinds.js';
import { UsageError } from '../usage-error.js';
import { type BenchType, benchTypes, type Plan } from './plan.js';
import type { Share } from './share.js';

const defaultUrl = 'http://127.0.0.1:8279';

export const benchOptions = {
  ...askOptions,
  url: {
    placeholder: 'URL',
    description: `agent or server to send to; several: the processes take turns [${defaultUrl}]`,
    many: true,
  },
  tabs: { placeholder: 'N', description: 'how many [1000]' },
  type: { placeholder: 'TYPE', description: `of the tabs: ${benchTypes.join(', ')} [CounterGroup]` },
  clients: { placeholder: 'N', description: 'client ids that record, shared by the processes [one each]' },
  processes: { placeholder: 'N', description: 'that record [1]' },
  rate: {
    placeholder: 'N',
    description: 'events a second, of all together; 0: as many as can be [1000000]',
  },
  seconds: { placeholder: 'N', description: 'how long to record [10]' },
  'warm-up': {
    placeholder: 'N',
    description: 'seconds in the beginning that freshness leaves out: what has just started is slow [0]',
  },
  zipf: { placeholder: '', description: 'tab k gets events in proportion to 1/k, instead of all as many' },
  'by-name': { placeholder: '', description: 'look tabs up by their names at every event' },
  raw: { placeholder: '', description: 'send events unfolded, in columns, without the client library' },
  keep: { placeholder: '', description: 'do not delete the tabs in the end' },
} as const satisfies Record<string, Option>;

/** What the processes of a run do, one each. @throws UsageError naming the flag */
export function sharesOf(args: Arguments): readonly [Share, ...Share[]] {
  const tabs = whole(args, 'tabs', 1000, { least: 1, most: 1_000_000 });
  const processes = whole(args, 'processes', 1, { least: 1, most: 64 });
  const clients = whole(args, 'clients', processes, { least: processes, most: 10_000 });
  const prefix = `taba_bench.${Date.now().toString(36)}${process.pid.toString(36)}`;
  const plan: Plan = { prefix, tabs, clients, type: typeOf(args), zipf: args.isOn('zipf') };
  const urls = urlsOf(args);
  if (args.isOn('raw') && args.isOn('by-name')) {
    throw new UsageError('--raw looks no tabs up at every event: leave --by-name out');
  }
  const share = {
    plan,
    seconds: whole(args, 'seconds', 10, { least: 1, most: 86_400 }),
    byName: args.isOn('by-name'),
    raw: args.isOn('raw'),
    eventsPerSec: whole(args, 'rate', 1_000_000, { least: 0, most: 1e9 }) / processes,
  };
  const shareOf = (process: number): Share => {
    const all = Array.from({ length: clients }, (_, client) => client);
    const url = urls[process % urls.length]!;
    const own = all.filter((client) => client % processes === process);
    return { ...share, url, clients: own, probe: `${prefix}.probe.${process}` };
  };
  return [shareOf(0), ...Array.from({ length: processes - 1 }, (_, before) => shareOf(before + 1))];
}

/** Seconds, fewer than are recorded. @throws UsageError */
export function warmUpOf(args: Arguments, { seconds }: Pick<Share, 'seconds'>): number {
  return whole(args, 'warm-up', 0, { least: 0, most: seconds - 1 });
}

function whole(
  args: Arguments,
  flag: string,
  otherwise: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const written = args.text(flag);
  const value = written === undefined ? otherwise : Number(written);
  if (written?.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(
      `--${flag}: ${JSON.stringify(written ?? String(value))} is wrong: it takes a whole number from ${least} to ${most}`,
    );
  }
  return value;
}

function urlsOf({ flags }: Arguments): string[] {
  return (flags.get('url') ?? [defaultUrl]).map((written) => {
    const url = nodeUrl.fromTexts([written], '');
    if (url !== undefined) return url;
    throw new UsageError(`--url: ${JSON.stringify(written)} is wrong: it takes ${nodeUrl.takes}`);
  });
}

function typeOf(args: Arguments): BenchType {
  const written = args.text('type') ?? 'CounterGroup';
  const type = benchTypes.find((one) => one === written);
  if (type !== undefined) return type;
  throw new UsageError(
    `--type: ${JSON.stringify(written)} is wrong: it takes one of ${benchTypes.join(', ')}`,
  );
}

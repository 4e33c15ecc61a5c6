import { askOptions, serverOf } from '../ask.js';
import type { Freshness } from '../bench/freshness.js';
import type { BenchType, Plan } from '../bench/plan.js';
import type { Share, ShareResult } from '../bench/share.js';
import type { Verification } from '../bench/verification.js';
import type { Arguments, Command } from '../command.js';
import { nodeUrl } from '../settings/kinds.js';
import { UsageError } from '../usage-error.js';

const defaultUrl = 'http://127.0.0.1:8279';

export const bench: Command = {
  name: 'bench',
  positionals: '',
  summary: 'Load a cluster with events of known number, and check that it counts every one',
  details: `Records events with the client library, in processes of their own, into tabs of its own, which it deletes in the end. Prints what
was recorded, how late it showed up, and whether every count and total is exact; ends with 1 when one is not.`,
  examples: [
    ['taba bench', 'a million events a second, for ten seconds, through the agent on this host'],
    ['taba bench --rate 0 --processes 4', 'as fast as it goes'],
    ['taba bench --tabs 30000 --zipf --clients 20 --rate 10000000', 'many tabs, of which few are popular'],
  ],
  options: {
    ...askOptions,
    url: { placeholder: 'URL', description: `agent or server to send to [${defaultUrl}]` },
    tabs: { placeholder: 'N', description: 'how many [1000]' },
    type: {
      placeholder: 'TYPE',
      description: 'of the tabs: CounterGroup, PercentileGroup, TotalsCounter [CounterGroup]',
    },
    clients: { placeholder: 'N', description: 'client ids that record, shared by the processes [one each]' },
    processes: { placeholder: 'N', description: 'that record [1]' },
    rate: {
      placeholder: 'N',
      description: 'events a second, of all together; 0: as many as can be [1000000]',
    },
    seconds: { placeholder: 'N', description: 'how long to record [10]' },
    zipf: { placeholder: '', description: 'tab k gets events in proportion to 1/k, instead of all as many' },
    'by-name': { placeholder: '', description: 'look tabs up by their names at every event' },
    keep: { placeholder: '', description: 'do not delete the tabs in the end' },
  },
  async run(args, io) {
    const { recordInProcesses, shareVariable } = await import('../bench/processes.js');
    const ordered = io.env[shareVariable];
    if (ordered !== undefined) {
      const { recordShare } = await import('../bench/share.js');
      io.out(JSON.stringify(await recordShare(JSON.parse(ordered) as Share)));
      return 0;
    }
    const { thisProgram } = await import('../this-program.js');
    const { explained, reach } = await import('../reach.js');
    const { FreshnessProbe } = await import('../bench/freshness.js');
    const { ownTabs, verify } = await import('../bench/verification.js');
    const server = serverOf(args, io.env);
    const shares = sharesOf(args);
    const [{ plan, url }] = shares as [Share];
    const probeTab = `${plan.prefix}.probe`;
    // Whoever named a server that is away should hear of it now.
    await reach(server, '/servers', {});
    const probe = new FreshnessProbe(probeTab, url, server);
    try {
      const results = await recordInProcesses(shares, thisProgram(), io.env);
      const eventsOfClients = results.flatMap(({ events }) => events);
      const verification = await verify(plan, eventsOfClients, server);
      const freshness = await probe.end();
      const report = reportOf(results, verification, freshness);
      io.out(args.isOn('json') ? `${JSON.stringify(report)}\n` : textOf(report));
      return verification.wrongTabs.length === 0 ? 0 : 1;
    } catch (error) {
      throw explained(error);
    } finally {
      await probe.end();
      if (!args.isOn('keep')) {
        await reach(server, '/delete', { names: [ownTabs(plan), `${plan.prefix}\\.probe$`], re: true });
      }
    }
  },
};

function sharesOf(args: Arguments): Share[] {
  const processes = number(args, 'processes', 1, { least: 1, most: 64 });
  const clients = number(args, 'clients', processes, { least: processes, most: 10_000 });
  const rate = number(args, 'rate', 1_000_000, { least: 0, most: 1e9 });
  const seconds = number(args, 'seconds', 10, { least: 1, most: 86_400 });
  const tabs = number(args, 'tabs', 1000, { least: 1, most: 1_000_000 });
  const written = args.text('url') ?? defaultUrl;
  const url = nodeUrl.fromTexts([written], '');
  if (url === undefined)
    throw new UsageError(`--url: ${JSON.stringify(written)} is wrong: it takes ${nodeUrl.takes}`);
  const prefix = `taba_bench.${Date.now().toString(36)}${process.pid.toString(36)}`;
  const plan: Plan = { prefix, tabs, clients, type: typeOf(args), zipf: args.isOn('zipf') };
  return Array.from({ length: processes }, (_, index) => ({
    ...{ plan, url, seconds, byName: args.isOn('by-name'), eventsPerSec: rate / processes },
    clients: Array.from({ length: clients }, (_, client) => client).filter(
      (client) => client % processes === index,
    ),
  }));
}

function number(
  args: Arguments,
  flag: string,
  otherwise: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const written = args.text(flag);
  const value = written === undefined ? otherwise : Number(written);
  if (written === '' || !Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(
      `--${flag}: ${JSON.stringify(written ?? String(value))} is wrong: it takes a whole number from ${least} to ${most}`,
    );
  }
  return value;
}

function typeOf(args: Arguments): BenchType {
  const type = args.text('type') ?? 'CounterGroup';
  if (type === 'CounterGroup' || type === 'PercentileGroup' || type === 'TotalsCounter') return type;
  throw new UsageError(
    `--type: ${JSON.stringify(type)} is wrong: it takes CounterGroup, PercentileGroup or TotalsCounter`,
  );
}

/** What --json prints. */
interface BenchReport {
  readonly recorded: number;
  readonly shown: number;
  readonly lost: number;
  readonly rejected: number;
  /** Names of tabs whose count or total is not what was recorded; the first hundred. */
  readonly wrong_tabs: readonly string[];
  readonly seconds: number;
  readonly events_per_sec: number;
  /** CPU of the recording processes, sending included. */
  readonly cpu_us_per_event: number;
  /** Of the process that grew most. */
  readonly grown_bytes: number;
  /** After the last event, until everything was shown. */
  readonly drained_sec: number;
  readonly freshness_ms: {
    readonly p50: number | null;
    readonly p99: number | null;
    readonly max: number | null;
  };
}

function reportOf(
  results: readonly ShareResult[],
  { recorded, shown, wrongTabs, waitedSec }: Verification,
  freshness: Freshness,
): BenchReport {
  const sum = (of: (result: ShareResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const most = (of: (result: ShareResult) => number) => Math.max(...results.map(of));
  const seconds = most((result) => result.seconds);
  const at = (share: number) =>
    freshness[Math.min(freshness.length - 1, Math.floor(share * freshness.length))] ?? null;
  return {
    ...{ recorded, shown, lost: sum(({ lost }) => lost), rejected: sum(({ rejected }) => rejected) },
    wrong_tabs: wrongTabs.slice(0, 100),
    ...{ seconds, events_per_sec: recorded / seconds },
    cpu_us_per_event: (sum(({ cpuSec }) => cpuSec) * 1e6) / recorded,
    grown_bytes: most(({ grownBytes }) => grownBytes),
    drained_sec: waitedSec,
    freshness_ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

function textOf(report: BenchReport): string {
  const { recorded, shown, lost, rejected, wrong_tabs: wrong, freshness_ms: late } = report;
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const ms = (value: number | null) => (value === null ? 'unknown' : `${whole(value)} ms`);
  const verdict =
    wrong.length === 0
      ? 'every count and total is exact'
      : `${wrong.length}${wrong.length === 100 ? ' or more' : ''} tabs are wrong, among them ${wrong.slice(0, 3).join(', ')}`;
  return [
    `recorded   ${whole(recorded)} events in ${report.seconds.toFixed(1)} s: ${whole(report.events_per_sec)} a second`,
    `shown      ${whole(shown)}: ${verdict}`,
    `lost       ${whole(lost)}, rejected ${whole(rejected)}`,
    `recording  ${report.cpu_us_per_event.toFixed(3)} µs of CPU an event, ${(report.grown_bytes / 1e6).toFixed(1)} MB of memory a process at most`,
    `freshness  p50 ${ms(late.p50)}, p99 ${ms(late.p99)}, at most ${ms(late.max)}; everything was shown ${report.drained_sec.toFixed(2)} s after the last event`,
    '',
  ].join('\n');
}

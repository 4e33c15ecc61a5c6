import { UsageError } from '../usage-error.js';
import { showDuration } from './kinds.js';
import type { Daemon, SettingName, SettingValues } from './table.js';

/** Servers forget a producer so long after its last Block (rule R11 in docs/architecture.md). */
export const producerForgetAgeMs = 7 * 24 * 3_600_000;

interface Rule {
  readonly of: readonly Daemon[];
  /** The fault, naming both values; undefined when all is well. */
  fault(values: SettingValues, isGiven: (name: SettingName) => boolean): string | undefined;
}

const onlyOne =
  'only a store that servers share allows that (--redis, or --sentinel with --shard), which is not part of this version';

/** What single values cannot say: settings that contradict each other. */
const rules: readonly Rule[] = [
  {
    of: ['server', 'up'],
    fault: ({ store }) =>
      store === 'redis'
        ? '--store redis is not part of this version (nor are --redis, --sentinel and --shard): use --store embedded'
        : undefined,
  },
  {
    of: ['server'],
    fault: ({ store, role }) =>
      role.includes('be')
        ? undefined
        : `--role ${role.join(',')} lacks be, and --store ${store} has no other server to be it: ${onlyOne}`,
  },
  {
    of: ['server'],
    fault: ({ store, workers }) =>
      workers > 1
        ? `--workers ${workers} with --store ${store}: several processes cannot use one; ${onlyOne}`
        : undefined,
  },
  {
    of: ['server', 'up'],
    fault: ({ store, data }, isGiven) =>
      store === 'memory' && isGiven('data')
        ? `--data ${data} has no effect with --store memory, which keeps nothing`
        : undefined,
  },
  {
    of: ['agent', 'up'],
    fault: (values) =>
      values['spool-max-age'] >= producerForgetAgeMs
        ? `--spool-max-age ${showDuration(values['spool-max-age'])} must be shorter than ${showDuration(producerForgetAgeMs)}: that is when servers forget a producer, and with it what they counted`
        : undefined,
  },
  {
    of: ['agent'],
    fault: (values) =>
      values['spool-fsync'] && values.spool === undefined
        ? '--spool-fsync true needs a --spool folder'
        : undefined,
  },
  {
    of: ['up'],
    fault: (values) =>
      values.port !== 0 && values.port === values['agent-port']
        ? `--port ${values.port} and --agent-port ${values['agent-port']} are the same: server and agent need one each`
        : undefined,
  },
  {
    of: ['agent', 'server', 'up'],
    fault: (values) =>
      values['max-decompressed-bytes'] < values['max-body-bytes']
        ? `--max-decompressed-bytes ${values['max-decompressed-bytes']} is less than --max-body-bytes ${values['max-body-bytes']}: no full body would pass`
        : undefined,
  },
  {
    of: ['server', 'up'],
    fault: (values) =>
      values['prune-tab'] < values['prune-client']
        ? `--prune-tab ${showDuration(values['prune-tab'])} is shorter than --prune-client ${showDuration(values['prune-client'])}: a tab would go before its clients`
        : undefined,
  },
];

/** @throws UsageError for the first rule that does not hold */
export function checkRules(
  daemon: Daemon,
  values: SettingValues,
  isGiven: (name: SettingName) => boolean,
): void {
  for (const rule of rules) {
    const fault = rule.of.includes(daemon) ? rule.fault(values, isGiven) : undefined;
    if (fault !== undefined) throw new UsageError(fault);
  }
}

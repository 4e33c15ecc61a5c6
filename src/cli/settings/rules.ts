import { UsageError } from '../usage-error.js';
import { showDuration } from './kinds.js';
import type { Rule } from './rule.js';
import { storeRules } from './store-rules.js';
import type { Daemon, SettingName, SettingValues } from './table.js';

/** Servers forget a producer so long after its last Block (rule R11 in docs/architecture.md). */
export const producerForgetAgeMs = 7 * 24 * 3_600_000;

/** What single values cannot say: settings that contradict each other. */
const rules: readonly Rule[] = [
  ...storeRules,
  {
    of: ['server'],
    fault: ({ port, workers }) =>
      port !== 0 && port + workers - 1 > maxPort
        ? `--workers ${workers} from --port ${port} on would need ports above ${maxPort}`
        : undefined,
  },
  {
    of: ['server'],
    fault: ({ port, advertise, workers }) =>
      workers > 1 && advertise !== undefined && (port === 0 || portOf(advertise) + workers - 1 > maxPort)
        ? `--advertise ${advertise} with --workers ${workers} and --port ${port}: each worker is advertised under a port of its own, which needs a --port to count from and ports up to ${maxPort}`
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

const maxPort = 65_535;

function portOf(hostAndPort: string): number {
  return Number(hostAndPort.slice(hostAndPort.lastIndexOf(':') + 1));
}

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

/**
 * An agent as a process of its own, to be killed, or to trust what only a process as a whole can. Its argument is the options that
 * differ, as JSON. Every name is taken for this host's. Prints its URL when it is ready.
 */
import { type AgentOptions, startAgent } from '../../src/agent/agent.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits } from '../../src/core/limits.js';
import { noDenyLists } from '../../src/intake/deny-lists.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import { RecordingLog } from './recording-log.js';

const options = JSON.parse(process.argv[2]!) as Pick<AgentOptions, 'servers' | 'mirror' | 'spoolFolder'>;
const agent = await startAgent({
  host: '127.0.0.1',
  port: 0,
  spoolMaxAgeMs: 86_400_000,
  flushIntervalMs: 5,
  clientId: 'host',
  registry: builtinHandlers(),
  limits: defaultLimits,
  denyLists: noDenyLists,
  drainDeadlineMs: 0,
  selfInstrument: false,
  clock: systemClock(),
  log: new RecordingLog(),
  seams: { resolve: async () => ['127.0.0.1'] },
  ...options,
});
process.stdout.write(`${agent.url}\n`);

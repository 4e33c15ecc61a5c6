/** An agent as a process of its own, to be killed. Arguments: spool folder, server URL. Prints its URL when it is ready. */
import { startAgent } from '../../src/agent/agent.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits } from '../../src/core/limits.js';
import { noDenyLists } from '../../src/intake/deny-lists.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import { RecordingLog } from './recording-log.js';

const [spoolFolder, server] = process.argv.slice(2);
const agent = await startAgent({
  host: '127.0.0.1',
  port: 0,
  servers: [server!],
  spoolFolder: spoolFolder!,
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
});
process.stdout.write(`${agent.url}\n`);

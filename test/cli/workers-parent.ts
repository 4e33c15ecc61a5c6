/** A parent over fake workers, until it is told to stop: `workers-parent.ts BEHAVIOUR COUNT DEADLINE_MS`. */
import { join } from 'node:path';
import { stopOrder } from '../../src/cli/stop-order.js';
import { startWorkers } from '../../src/cli/workers.js';
import { createLog } from '../../src/runtime/pino-log.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import { programArguments } from '../support/program.js';

const [behaviour = '', count = '2', deadlineMs = '10000'] = process.argv.slice(2);
const log = createLog({ level: 'info', format: 'json' });
const stopped = stopOrder(log, undefined);
try {
  const running = await startWorkers({
    count: Number(count),
    program: {
      file: process.execPath,
      args: [...programArguments(join(import.meta.dirname, 'fake-worker.ts')), behaviour],
    },
    command: (worker, portBefore) => ({
      args: [String(portBefore)],
      env: { ...process.env, TABA_WORKER: String(worker) },
    }),
    folder: process.cwd(),
    clock: systemClock(),
    log,
    firstBackoffMs: 10,
    maxBackoffMs: 50,
  });
  process.on('SIGHUP', () => running.reload());
  log.info('ready', running.addresses);
  await stopped;
  await running.close(Number(deadlineMs));
  process.exit(0);
} catch (error) {
  log.error('failed', { message: (error as Error).message });
  process.exit(1);
}

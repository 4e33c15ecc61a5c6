import type { Log } from '../runtime/log.js';
import { onStopSignals } from '../runtime/stop-signals.js';
import type { ParentProcess } from './worker-channel.js';

/**
 * Resolves with the reason to stop: the first SIGTERM or SIGINT, or what the parent of a worker says. A second signal ends
 * the process at once. Ctrl-C reaches a worker twice, as a signal and through its parent, which is one order.
 */
export function stopOrder(log: Log, parent: ParentProcess | undefined): Promise<string> {
  return new Promise((resolve) => {
    parent?.onStop(resolve);
    onStopSignals(['SIGTERM', 'SIGINT'], {
      onFirst: resolve,
      onSecond: (signal) => {
        log.warn('stopped_at_once', { signal, reason: 'a second signal' });
        process.exit(1);
      },
    });
  });
}

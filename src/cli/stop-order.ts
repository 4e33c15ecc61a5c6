import type { Log } from '../runtime/log.js';
import type { ParentProcess } from './worker-channel.js';

/**
 * Resolves with the reason to stop: the first SIGTERM or SIGINT, or what the parent of a worker says. A second signal ends
 * the process at once: whoever sends it does not want to wait. Ctrl-C reaches a worker twice, as a signal and through its
 * parent, which is one order.
 */
export function stopOrder(log: Log, parent: ParentProcess | undefined): Promise<string> {
  return new Promise((resolve) => {
    parent?.onStop(resolve);
    let isSignalled = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isSignalled) {
          log.warn('stopped_at_once', { signal, reason: 'a second signal' });
          process.exit(1);
        }
        isSignalled = true;
        resolve(signal);
      });
    }
  });
}

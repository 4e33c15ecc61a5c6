import type { Clock } from './clock.js';
import type { Log } from './log.js';

export interface ThrottleOptions {
  readonly clock: Clock;
  /** One line for each event name in so long. Higher values keep the log short, at the cost of fewer samples. */
  readonly everyMs?: number;
  /** Event names that are told apart; beyond it the one that has been quiet longest is forgotten. */
  readonly maxEvents?: number;
}

interface Quiet {
  lastMs: number;
  suppressed: number;
}

/**
 * For lines that an input can cause: the first of an event name is written, then one in each interval, which says how many were
 * suppressed since the line before.
 */
export function throttled(log: Log, { clock, everyMs = 10_000, maxEvents = 1000 }: ThrottleOptions): Log {
  const events = new Map<string, Quiet>();

  function admit(key: string): number | undefined {
    const nowMs = clock.monotonicMs();
    const known = events.get(key);
    if (known !== undefined && nowMs - known.lastMs < everyMs) {
      known.suppressed++;
      return undefined;
    }
    events.delete(key);
    if (events.size >= maxEvents) events.delete(events.keys().next().value!);
    events.set(key, { lastMs: nowMs, suppressed: 0 });
    return known?.suppressed ?? 0;
  }

  function wrap(inner: Log): Log {
    const write =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (event: string, fields?: Readonly<Record<string, unknown>>): void => {
        const suppressed = admit(`${level} ${event}`);
        if (suppressed === undefined) return;
        inner[level](event, suppressed === 0 ? fields : { ...fields, suppressed });
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      with: (fields) => wrap(inner.with(fields)),
    };
  }

  return wrap(log);
}

import type { Clock } from './clock.js';

/** Waits for `delayMs`, or until `signal` aborts. @returns whether the time passed in full */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      callOff();
      resolve(false);
    };
    const callOff = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Runs `action` again and again with `intervalMs` from the end of one run to the beginning of the next, until `signal`
 * aborts. An error goes to `onError` and ends nothing.
 */
export async function repeat(
  { clock, intervalMs, signal }: { clock: Clock; intervalMs: number; signal: AbortSignal },
  action: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  while (await pause(clock, intervalMs, signal)) {
    try {
      await action();
    } catch (error) {
      onError(error);
    }
  }
}

export interface StopSignalHandlers {
  readonly onFirst: (signal: NodeJS.Signals) => void;
  /** Whoever asks twice does not want to wait. */
  readonly onSecond: (signal: NodeJS.Signals) => void;
}

/** Longer than npm takes to pass a signal on, shorter than a person who has lost patience. */
const repeatWithinMs = 500;

/**
 * Tells the first order to stop from a second one. Under npm and npx a Ctrl-C comes twice, from the terminal and passed on
 * by npm: the same signal again at once is the same order.
 *
 * @param signals which are orders to stop, of the whole process
 */
export function onStopSignals(
  signals: readonly NodeJS.Signals[],
  { onFirst, onSecond }: StopSignalHandlers,
): void {
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      const atMs = performance.now();
      if (first === undefined) {
        first = { signal, atMs };
        onFirst(signal);
      } else if (signal !== first.signal || atMs - first.atMs > repeatWithinMs) {
        onSecond(signal);
      }
    });
  }
}

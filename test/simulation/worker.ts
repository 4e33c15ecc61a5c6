/** A process that runs every n-th history for scripts/simulate.ts. */

import { runHistory } from './history.js';
import type { Rule } from './rules.js';

/** To the worker, first of all: which histories are its own. */
export interface Slice {
  readonly firstSeed: number;
  readonly step: number;
  readonly endSeed: number;
  readonly without: readonly Rule[];
}

/** To the worker, later: another one failed at this seed, so that only lower ones are of interest. */
export interface Lower {
  readonly endSeed: number;
}

/** From the worker: how many histories it has run since the last word, and which one failed, its last. */
export interface Progress {
  readonly histories: number;
  readonly failed?: { readonly seed: number; readonly fault: string };
}

const wordEachMs = 500;
let endSeed = 0;
let unheard: string | undefined;

async function run({ firstSeed, step, without }: Slice): Promise<void> {
  const rules = new Set(without);
  let histories = 0;
  let sentAtMs = performance.now();
  const tell = (failed?: Progress['failed']): void => {
    const progress: Progress = failed === undefined ? { histories } : { histories, failed };
    process.send?.(progress);
    histories = 0;
    sentAtMs = performance.now();
  };
  for (let seed = firstSeed; seed < endSeed; seed += step) {
    const { fault } = await runHistory(seed, { without: rules });
    // Lets in what was rejected without a hearing, and the word of another's failure.
    await new Promise<void>((resolve) => setImmediate(resolve));
    histories++;
    if (fault !== '' || unheard !== undefined) {
      tell({ seed, fault: unheard ?? fault });
      break;
    }
    if (performance.now() - sentAtMs > wordEachMs) tell();
  }
  tell();
  process.disconnect();
}

// Errors are part of the play: their stacks cost more than the histories.
Error.stackTraceLimit = 0;

process.on('unhandledRejection', (error) => {
  unheard ??= `rejected, and nobody listens: ${error}`;
});

process.on('message', (message: Slice | Lower) => {
  endSeed = message.endSeed;
  if ('step' in message) void run(message);
});

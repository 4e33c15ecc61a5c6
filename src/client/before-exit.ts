/** How long a process that has nothing left to do is kept for its last flush. */
const lastFlushMs = 1000;

/** What wants to send something before the process ends by itself. */
export interface LastWords {
  readonly hasSomething: boolean;
  flush(deadlineMs: number): Promise<boolean>;
}

const speakers = new Set<LastWords>();
let isListening = false;
let isDone = false;

/** One listener for all clients of the process. Not run by process.exit() or by a signal: nothing asynchronous is. */
export function addLastWords(speaker: LastWords): () => void {
  speakers.add(speaker);
  if (!isListening) {
    isListening = true;
    process.on('beforeExit', flushAll);
  }
  return () => {
    speakers.delete(speaker);
    if (speakers.size > 0 || !isListening) return;
    isListening = false;
    process.off('beforeExit', flushAll);
  };
}

/** Once only: each `beforeExit` handler that does something is followed by another `beforeExit`. */
function flushAll(): void {
  if (isDone) return;
  isDone = true;
  for (const speaker of speakers) if (speaker.hasSomething) void speaker.flush(lastFlushMs);
}

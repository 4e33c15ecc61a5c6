import type { Io } from './io.js';

const clearLine = '\r\u001b[K';
/** What is over sooner needs no words. */
const silentMs = 300;
const redrawEveryMs = 200;

/** Shows on a terminal what is being done, and for how long already; nothing elsewhere. */
export async function whileShowing<T>(io: Io, doing: string, work: Promise<T>): Promise<T> {
  if (!io.stderrIsTerminal) return work;
  const beganAtMs = performance.now();
  let isShown = false;
  const timer = setInterval(() => {
    const tookMs = performance.now() - beganAtMs;
    if (tookMs < silentMs) return;
    isShown = true;
    io.err(`${clearLine}${doing} … ${Math.floor(tookMs / 1000)} s`);
  }, redrawEveryMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isShown) io.err(clearLine);
  }
}

/** Into how many slices a time limit is cut: the limit may be overstepped by one of them. */
const slices = 10;

/**
 * The answer, unless it takes longer than `limitMs` of time in which this process was able to hear it.
 *
 * A process that is busy for seconds, or was frozen, finds on waking that its timers have run out, before it reads what
 * arrived meanwhile: a plain timer would blame the other side for it, and have everything done again. Therefore the limit
 * is cut into slices, each of which ends with a look at what has come in, and a busy spell costs one slice at most.
 *
 * @throws what `answer` throws; Error `no answer within … ms`
 */
export async function inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let passed = 0;
  const late = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      passed++;
      if (passed >= slices) reject(new Error(`no answer within ${limitMs} ms`));
    }, limitMs / slices);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearInterval(timer);
    // Whether it is late is all that anybody wants to know of it.
    answer.catch(() => {});
  }
}

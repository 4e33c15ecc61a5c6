import { readFile } from 'node:fs/promises';
import t from 'tap';
import { inTime } from '../../src/runtime/in-time.js';

const limitMs = 100;

function keepBusy(forMs: number): void {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs);
}

t.test('an answer, a fault, and none', async (t) => {
  t.equal(await inTime(Promise.resolve(1), limitMs), 1);
  await t.rejects(inTime(Promise.reject(new Error('refused')), limitMs), { message: 'refused' });
  await t.rejects(inTime(new Promise(() => {}), limitMs), { message: 'no answer within 100 ms' });
});

t.test('an answer that arrived while the process was busy for longer than the limit', async (t) => {
  const answer = inTime(readFile(new URL(import.meta.url), 'utf8'), limitMs);
  keepBusy(3 * limitMs);
  t.match(await answer, 'longer than the limit');
});

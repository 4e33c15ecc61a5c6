import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import t from 'tap';

/** Prints how large the young space becomes while a quarter of what is made stays in use. */
const work = `
const kept = [];
let most = 0;
for (let round = 0; round < 150; round++) {
  for (let at = 0; at < 10_000; at++) {
    const made = { round, at, list: [at, round] };
    if (at % 4 === 0) kept.push(made);
  }
  // Observers are told between two turns of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  most = Math.max(most, youngSpaceBytes());
}
console.log(most);
`;

t.test('the young space does not grow beyond its bound, however much of it lives', async (t) => {
  const file = join(import.meta.dirname, '../../src/runtime/young-generation.ts');
  const { code } = await transform(await readFile(file, 'utf8'), { loader: 'ts' });
  // In a process of its own: whatever runs tests has grown already.
  const mostIn = async (begin: string): Promise<number> => {
    const args = ['--input-type=module', '--eval', code + begin + work];
    return Number((await promisify(execFile)(process.execPath, args)).stdout);
  };
  const bounded = await mostIn('boundYoungSpace(1);');
  t.ok(bounded > 0 && bounded <= 8 * 2 ** 20, `${bounded} bytes`);
  const unbounded = await mostIn('');
  t.ok(unbounded > bounded, `${unbounded} bytes without`);
  const busy = await mostIn('boundYoungSpace(0.01);');
  t.ok(busy > bounded, `${busy} bytes where pauses take more than a hundredth of the time`);
});

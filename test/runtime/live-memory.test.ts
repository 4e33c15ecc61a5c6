import t from 'tap';
import {
  availableMemoryBytes,
  heapLimitBytes,
  usedMemoryBytes,
  watchLiveMemory,
} from '../../src/runtime/live-memory.js';

t.test('what is live is told after garbage collections, until the watch ends', async (t) => {
  const kept: unknown[][] = [];
  const told: number[] = [];
  const first = await new Promise<number>((resolve) => {
    const end = watchLiveMemory(2 ** 30, (liveBytes) => {
      told.push(liveBytes);
      end();
      resolve(liveBytes);
    });
    const fill = (): void => {
      kept.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
      if (told.length === 0) setImmediate(fill);
    };
    fill();
  });
  t.ok(first > 1_000_000 && first <= heapLimitBytes(), `${first} bytes`);
  t.equal(told.length, 1);
});

t.test('the limits are those of this process', (t) => {
  t.ok(usedMemoryBytes() < heapLimitBytes());
  t.ok(availableMemoryBytes() > 2 ** 26);
  t.end();
});

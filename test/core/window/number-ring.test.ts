import fc from 'fast-check';
import t from 'tap';
import { NumberRing } from '../../../src/core/window/number-ring.js';

type Command = readonly ['add' | 'dropBefore' | 'dropFrom', number];

/** What is found from one used cell to the next, and the sums from each of them on. */
function isListedRight(ring: NumberRing, model: ReadonlyMap<number, readonly [number, number]>): boolean {
  const used = [...model.keys()].sort((a, b) => a - b);
  const end = ring.first + ring.size;
  const found: number[] = [];
  for (let at = ring.nextUsed(ring.first); at < end; at = ring.nextUsed(at + 1)) found.push(at);
  if (found.join() !== used.join() || ring.nextUsed(end) !== end) return false;
  return used.every((start, place) => {
    const sum = { count: 0, total: 0 };
    ring.sumInto(sum, start, end + 5);
    const expected = used.slice(place).map((key) => model.get(key)!);
    return (
      sum.count === expected.reduce((count, cell) => count + cell[0], 0) &&
      sum.total === expected.reduce((total, cell) => total + cell[1], 0)
    );
  });
}

for (const width of [8, 30, 300])
  t.test(
    `a ring behaves like a map of cells, however it grows, shrinks and is used again, over ${width} cells`,
    async () => {
      const command: fc.Arbitrary<Command> = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.tuple(fc.constant('add' as const), fc.integer({ min: 100, max: 100 + width })),
        },
        fc.tuple(
          fc.constantFrom('dropBefore' as const, 'dropFrom' as const),
          fc.integer({ min: 95, max: 105 + width }),
        ),
      );
      fc.assert(
        fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
          const ring = new NumberRing();
          const model = new Map<number, [number, number]>();
          for (const [what, index] of commands) {
            if (what === 'add') {
              ring.add(index, 1, index / 4);
              const [count, total] = model.get(index) ?? [0, 0];
              model.set(index, [count + 1, total + index / 4]);
            } else {
              ring[what](index);
              for (const key of model.keys()) {
                if (what === 'dropBefore' ? key < index : key >= index) model.delete(key);
              }
            }
            let cells = 0;
            for (let at = ring.first; at < ring.first + ring.size; at++) {
              if (ring.weightOf(at) === 0 && ring.totalOf(at) === 0) continue;
              cells++;
              const [count, total] = model.get(at) ?? [];
              if (count !== ring.weightOf(at) || total !== ring.totalOf(at)) return false;
            }
            if (cells !== model.size || !isListedRight(ring, model)) return false;
          }
          return true;
        }),
        { numRuns: 500 },
      );
    },
  );

t.test('cells of another ring are taken from one of them on, whatever both look like', async () => {
  const cells = fc.array(fc.tuple(fc.integer({ min: 100, max: 140 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(cells, cells, fc.integer({ min: 90, max: 150 }), (ours, theirs, wanted) => {
      const ringOf = (list: readonly (readonly [number, number])[]) => {
        const ring = new NumberRing();
        for (const [index, count] of list) ring.add(index, count, count / 4);
        return ring;
      };
      const from = ringOf(theirs);
      const start = Math.min(Math.max(wanted, from.first), from.first + from.size);
      const into = ringOf(ours);
      if (from.size > 0) into.takeFrom(start, from);
      const expected = ringOf([...ours, ...theirs.filter(([index]) => index >= start)]);
      const isSame = (index: number) =>
        into.weightOf(index) === expected.weightOf(index) && into.totalOf(index) === expected.totalOf(index);
      const run = Array.from({ length: into.size }, (_, at) => into.first + at);
      return into.first === expected.first && into.size === expected.size && run.every(isSame);
    }),
    { numRuns: 500 },
  );
});

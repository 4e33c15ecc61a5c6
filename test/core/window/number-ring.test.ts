import fc from 'fast-check';
import t from 'tap';
import { NumberRing } from '../../../src/core/window/number-ring.js';

type Command = readonly ['add' | 'dropBefore' | 'dropFrom', number];

t.test('a ring behaves like a map of cells, however it grows, shrinks and is used again', async () => {
  const command: fc.Arbitrary<Command> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('add' as const), fc.integer({ min: 100, max: 130 })) },
    fc.tuple(fc.constantFrom('dropBefore' as const, 'dropFrom' as const), fc.integer({ min: 95, max: 135 })),
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
        if (cells !== model.size) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

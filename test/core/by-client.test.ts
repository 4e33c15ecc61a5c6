import fc from 'fast-check';
import t from 'tap';
import { ByClient } from '../../src/core/by-client.js';
import type { ClientId } from '../../src/core/ids.js';

const client = fc.constantFrom('a', 'b', 'c') as fc.Arbitrary<ClientId>;
const step = fc.oneof(fc.record({ set: client, value: fc.nat(9) }), fc.record({ delete: client }));

t.test('does what a Map does', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const [map, own] = [new Map<ClientId, number>(), new ByClient<number>()];
      return steps.every((one) => {
        if ('set' in one) {
          map.set(one.set, one.value);
          own.set(one.set, one.value);
        } else {
          map.delete(one.delete);
          own.delete(one.delete);
        }
        const all = (from: Iterable<unknown>) => JSON.stringify([...from].sort());
        return (
          own.size === map.size &&
          all(own) === all(map) &&
          all(own.keys()) === all(map.keys()) &&
          all(own.values()) === all(map.values()) &&
          (['a', 'b', 'c'] as ClientId[]).every(
            (id) => own.has(id) === map.has(id) && own.get(id) === map.get(id),
          )
        );
      });
    }),
  );
});

import fc from 'fast-check';
import t from 'tap';
import { ByOwner, type Owned } from '../../src/core/by-owner.js';

interface Item extends Owned {
  readonly value: number;
}

// More than lie in a list.
const owners = ['', 'a', 'b', 'c', 'd', 'e', 'f', 'g'] as Item['owner'][];
const owner = fc.constantFrom(...owners);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ set: owner, value: fc.nat(9) }) },
  fc.record({ delete: owner }),
);

t.test('does what a Map does, and runs over what is of all clients first', async (t) => {
  const sizes = new Set<number>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const [map, own] = [new Map<Item['owner'], Item>(), new ByOwner<Item>()];
      return steps.every((one) => {
        if ('set' in one) {
          const item = { owner: one.set, value: one.value };
          map.set(one.set, item);
          own.set(item);
        } else if (map.delete(one.delete) !== own.delete(one.delete)) {
          return false;
        }
        const clients = [...map.values()].filter((item) => item.owner !== '');
        const all = map.has('') ? [map.get('')!, ...clients] : clients;
        sizes.add(own.size);
        return (
          own.size === map.size &&
          own.total === map.get('') &&
          isSame([...own], all) &&
          owners.every((id) => own.has(id) === map.has(id) && own.get(id) === map.get(id)) &&
          [0, 5, 9].every((least) => own.some(isFrom(least)) === all.some(isFrom(least)))
        );
      });
    }),
  );
  t.ok(
    [0, 1, 2, 4, 7].every((size) => sizes.has(size)),
    'few and many were looked at',
  );
});

t.test('may be emptied while something runs over it', async (t) => {
  for (const count of [2, 20]) {
    const own = new ByOwner<Item>();
    for (let index = 0; index < count; index++)
      own.set({ owner: `c${index}` as Item['owner'], value: index });
    const seen: number[] = [];
    for (const { owner, value } of own) {
      seen.push(value);
      own.delete(owner);
    }
    t.equal(seen.length, count);
    t.equal(own.size, 0);
  }
});

function isFrom(least: number): (item: Item) => boolean {
  return ({ value }) => value >= least;
}

function isSame(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

import fc from 'fast-check';
import t from 'tap';
import { type Place, SmallStates } from '../../../src/server/reduce/small-states.js';

/** Bytes that tell where they come from. */
function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (seed * 31 + at * 7) & 255);
}

function summandsOf(states: SmallStates, place: Place): string[] {
  return states.read(place).map((reader) => Buffer.from(reader.raw(reader.remaining)).toString('hex'));
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type Step =
  | { readonly kind: 'keep' | 'append' | 'replace'; readonly length: number; readonly which: number }
  | { readonly kind: 'release'; readonly which: number }
  | { readonly kind: 'release all and give back' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('keep', 'append', 'replace'),
      length: fc.integer({ min: 0, max: 600 }),
      which: fc.nat(),
    }),
    fc.record({ kind: fc.constant('release' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('release all and give back' as const) }),
  ),
  { maxLength: 200, size: 'max' },
);

t.test('whatever is kept, added, replaced and released beside it, a State keeps what it holds', async () => {
  fc.assert(
    fc.property(steps, (list) => {
      const states = new SmallStates();
      const held: { place: Place; summands: string[] }[] = [];
      list.forEach((step, seed) => {
        if (step.kind === 'release all and give back') {
          for (const { place } of held.splice(seed % 2)) states.release(place);
          states.giveBack();
          return;
        }
        const one = held[step.which % Math.max(1, held.length)];
        if (step.kind === 'release') {
          if (one === undefined) return;
          states.release(one.place);
          held.splice(held.indexOf(one), 1);
          return;
        }
        const { length } = step;
        const bytes = bytesOf(length, seed);
        if (step.kind === 'keep' || one === undefined) {
          held.push({ place: states.keep(bytes, 0, length), summands: [hexOf(bytes)] });
        } else if (step.kind === 'replace') {
          one.place = states.replace(one.place, bytes, 0, length);
          one.summands = [hexOf(bytes)];
        } else {
          const place = states.append(one.place, bytes, 0, length);
          if (place === undefined) return;
          one.place = place;
          one.summands.push(hexOf(bytes));
        }
      });
      return held.every(({ place, summands }) => `${summandsOf(states, place)}` === `${summands}`);
    }),
  );
});

t.test('a part of some bytes is taken, and they are the caller’s afterwards', async (t) => {
  const states = new SmallStates();
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const place = states.append(states.keep(bytes, 1, 3), bytes, 3, 4)!;
  bytes.fill(9);
  t.same(summandsOf(states, place), ['0203', '04']);
});

t.test('a State without room for more is left as it was', async (t) => {
  const states = new SmallStates();
  let place = states.keep(bytesOf(400, 1), 0, 400);
  place = states.append(place, bytesOf(500, 2), 0, 500)!;
  t.equal(states.append(place, bytesOf(200, 3), 0, 200), undefined);
  t.same(summandsOf(states, place), [hexOf(bytesOf(400, 1)), hexOf(bytesOf(500, 2))]);
  place = states.append(place, bytesOf(50, 4), 0, 50)!;
  t.equal(summandsOf(states, place).length, 3, 'a shorter one still finds room');
});

t.test('what is released is given out again', async (t) => {
  const states = new SmallStates();
  const keep = () => Array.from({ length: 5000 }, (_, at) => states.keep(bytesOf(200, at), 0, 200));
  const places = keep();
  const { freeBytes } = states;
  for (const place of places) states.release(place);
  t.ok(states.freeBytes >= freeBytes + 5000 * 200, 'all of it');
  keep();
  t.equal(states.freeBytes, freeBytes, 'to States of the same size');
});

t.test('what large ones leave is cut for small ones', async (t) => {
  const states = new SmallStates();
  const large = Array.from({ length: 250 }, (_, at) => states.keep(bytesOf(1000, at), 0, 1000));
  for (const place of large) states.release(place);
  const { freeBytes } = states;
  const small = Array.from({ length: 2000 }, (_, at) => states.keep(bytesOf(100, at), 0, 100));
  t.ok(states.freeBytes <= freeBytes - 2000 * 100, 'without more memory');
  t.ok(small.every((place, at) => summandsOf(states, place)[0] === hexOf(bytesOf(100, at))));
});

t.test('a block that is far too large for what became of its State is given back', async (t) => {
  const states = new SmallStates();
  let place = states.keep(bytesOf(500, 1), 0, 500);
  place = states.append(place, bytesOf(400, 2), 0, 400)!;
  const before = states.freeBytes;
  states.replace(place, bytesOf(40, 3), 0, 40);
  t.ok(states.freeBytes > before + 800, 'for others');
});

t.test('pieces in which nothing lies are given back, and others take their places', async (t) => {
  const states = new SmallStates();
  const kept = states.keep(bytesOf(100, 1), 0, 100);
  const keep = (length: number) =>
    Array.from({ length: 5000 }, (_, at) => states.keep(bytesOf(length, at), 0, length));
  // As States that grow all at the same time.
  for (const length of [20, 40, 80, 160, 320, 640]) for (const place of keep(length)) states.release(place);
  t.ok(states.freeBytes > 5000 * 640);
  states.giveBack();
  t.ok(states.freeBytes < 2 ** 19, 'all but what lies beside others, and the newest');
  const places = keep(300);
  t.ok(places.every((place, at) => summandsOf(states, place)[0] === hexOf(bytesOf(300, at))));
  t.same(summandsOf(states, kept), [hexOf(bytesOf(100, 1))]);
  const { freeBytes } = states;
  states.giveBack();
  t.equal(states.freeBytes, freeBytes, 'nothing of what is in use');
});

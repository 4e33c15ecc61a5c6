import fc from 'fast-check';
import t from 'tap';
import type { BucketIndex } from '../../../src/core/ids.js';
import { keyed, keyedByClient, listed, single, type Wording } from '../../../src/server/query/answers.js';
import { QueryTurn } from '../../../src/server/query/query-turn.js';
import { orderOf } from '../../../src/server/query/sorted.js';
import type { HttpReply } from '../../../src/transport/inbound/http.js';
import { FakeClock } from '../../support/fake-clock.js';

const wording = (form: Wording['form'], missing: readonly number[] = []): Wording => ({
  ...{ form, missing: missing as BucketIndex[], maxBytes: 10_000_000 },
});
const textOf = ({ body }: HttpReply) => Buffer.concat(body as readonly Uint8Array[]).toString();
const newTurn = () => new QueryTurn(new FakeClock(), 1000);

/** Names in an order that is not theirs. */
function mixed(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `tab.${(at * 7919) % count}`);
}

t.test('texts are put in order as one sort would, however many there are', async (t) => {
  for (const count of [0, 1, 2, 3, 1023, 1024, 1025, 2500, 5000]) {
    const texts = [...mixed(count), ...mixed(Math.min(count, 10))];
    const sorted = Array.from(await orderOf(texts, newTurn()), (place) => texts[place]);
    t.same(sorted, [...texts].sort(), `${texts.length}`);
  }
});

t.test('any texts: in the order of their code units, equal ones as they came', async () => {
  const character = fc.constantFrom(...'ab~\n', '\u007e', '\u007f', '\u0080', 'é', '\ud83d', '\uffff');
  const text = fc.string({ unit: character, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('', 'a', 'abababab.'), fc.array(text), async (prefix, ends) => {
      const texts = ends.map((end) => prefix + end);
      const places = Array.from(texts, (_, place) => place);
      const expected = places.sort((a, b) =>
        texts[a] === texts[b] ? a - b : texts[a]! < texts[b]! ? -1 : 1,
      );
      return (await orderOf(texts, newTurn())).join() === expected.join();
    }),
    { numRuns: 1000 },
  );
});

t.test('an answer of many pieces holds every row once, in the order of keys', async (t) => {
  const names = mixed(20_000);
  const rows = [['tab.7', 'old'], ...names.map((name) => [name, JSON.stringify({ name })])];
  const json = textOf(await keyed(rows, wording('json'), newTurn()));
  t.same(
    Object.entries(JSON.parse(json)),
    [...names].sort().map((name) => [name, { name }]),
  );
  t.ok(json.endsWith('}\n'));
  const text = textOf(await keyed(rows, wording('text'), newTurn()));
  t.equal(
    text,
    [...names]
      .sort()
      .map((name) => `${name}: ${JSON.stringify({ name })}\n`)
      .join(''),
  );
});

t.test('rows of clients: by client for programs, by tab for people', async (t) => {
  const rows = [
    ['a.b', 'x', '1'],
    ['a', 'y', '2'],
    ['a', 'x', '3'],
  ];
  t.equal(
    textOf(await keyedByClient(rows, wording('json'), newTurn())),
    '{"x": {"a": 3,\n"a.b": 1},\n"y": {"a": 2}}\n',
  );
  t.equal(
    textOf(await keyedByClient(rows, wording('text'), newTurn())),
    '(a, x): 3\n(a, y): 2\n(a.b, x): 1\n',
  );
});

t.test('nothing, and what is missing', async (t) => {
  t.equal(textOf(await keyed([], wording('json'), newTurn())), '{}\n');
  t.equal(textOf(await keyed([], wording('text'), newTurn())), '');
  t.equal(textOf(await keyedByClient([], wording('json'), newTurn())), '{}\n');
  t.equal(textOf(await listed([], wording('json'), newTurn())), '[]\n');
  t.equal(textOf(single('', wording('text'))), '');
  const note = '# partial: nothing of buckets 3, 5 is in this answer\n';
  const partial = await keyed([['a', '1']], wording('text', [3, 5]), newTurn());
  t.equal(textOf(partial), `${note}a: 1\n`);
  t.equal(partial.headers?.['x-taba-missing-buckets'], '3, 5');
  t.equal(
    textOf(await keyed([['a', '1']], wording('detailed', [3]), newTurn())),
    '{"%missing_buckets": "3",\n"a": 1}\n',
  );
});

t.test('names are told once', async (t) => {
  t.equal(textOf(await listed(['b', 'a', 'b'], wording('json'), newTurn())), '["a","b"]\n');
  t.equal(textOf(await listed(['b', 'a', 'b'], wording('text'), newTurn())), 'a\nb\n');
});

t.test('an answer that is too large is refused while it is written', async (t) => {
  const rows = mixed(100).map((name) => [name, 'x'.repeat(100)]);
  const small = { ...wording('json'), maxBytes: 1000 };
  await t.rejects(keyed(rows, small, newTurn()), { code: 'result_too_large' });
});

t.test('others run while a large answer is written', async (t) => {
  const fake = new FakeClock();
  // Every look at the clock is a tenth of a millisecond after the one before.
  const clock = {
    nowMs: () => fake.nowMs(),
    monotonicMs() {
      fake.advance(0.1);
      return fake.monotonicMs();
    },
    soon: (action: () => void) => fake.soon(action),
    after: (delayMs: number, action: () => void) => fake.after(delayMs, action),
  };
  let others = 0;
  let isDone = false;
  const other = (): void => {
    others++;
    if (!isDone) setImmediate(other);
  };
  setImmediate(other);
  await keyed(
    mixed(3000).map((name) => [name, '1']),
    wording('json'),
    new QueryTurn(clock, 60_000),
  );
  isDone = true;
  t.ok(others > 100, `${others} times`);
});

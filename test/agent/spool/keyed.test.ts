import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { countsOf, encode, folderOf, open, partsOf } from './kit.js';

const bodies = ['k', 'ä'.repeat(256)].map((key, index) => ({
  ...{ key, digest: String(index).repeat(32), takenAtMs: index + 0.5 },
}));

t.test('bodies under a key come back, after a compaction too', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  spool.accept(encode(partsOf('a', 'b')), 2, bodies[0]!);
  spool.accept(encode(partsOf('a')), 1, bodies[1]!);
  spool.close();
  const again = open(folder);
  t.same(again.restored.bodies, bodies);
  t.same(countsOf(again.restored.parts), { a: 2, b: 1 });
  t.equal(again.restored.tally.events, 3);
  t.ok(again.compact([{ kind: 'keys', bodies }]));
  again.close();
  const third = open(folder);
  t.same(third.restored.bodies, bodies);
  t.same(countsOf(third.restored.parts), {});
  third.close();
});

t.test('cut at every byte: a key is never there without its events, nor they without it', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'spool.log');
  const spool = open(folder);
  const begun = readFileSync(path).length;
  spool.accept(encode(partsOf('a', 'b')), 2, bodies[0]!);
  spool.close();
  const whole = readFileSync(path);
  const seen = new Set<string>();
  for (let length = begun; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const again = open(folder);
    const { restored } = again;
    again.close();
    seen.add(`${restored.bodies.length} ${restored.parts.events} ${restored.damage.length}`);
  }
  t.same([...seen], ['0 0 0', '1 2 0']);
});

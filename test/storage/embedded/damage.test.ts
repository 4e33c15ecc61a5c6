import t from 'tap';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import { HeadMismatch } from '../../../src/storage/store.js';
import { bucketOf, contentFor, entryAt, keyOf, LogKeeper, Owner, pageOf } from '../fixture.js';
import { temporaryFolder } from './folder.js';
import { history, openOn, run, seeded, stateOf } from './history.js';
import { MemoryFiles } from './memory-files.js';

const folder = temporaryFolder();
t.teardown(() => folder.remove());

const first = 'segment-0000000001.log';
const marker = contentFor('find me', 64);

/** A closed store: three entries, the pages of three tabs, with `marker` as the content that is to be damaged. */
async function written(
  fill: (owner: Owner) => Promise<void>,
  maxSegmentBytes?: number,
): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  await fill(await Owner.of(store));
  await store.close();
  return files;
}

function flip(files: MemoryFiles, needle: Uint8Array): void {
  for (const { bytes } of files.disk.values()) {
    const at = bytes.indexOf(needle);
    if (at >= 0) bytes[at + 3]! ^= 4;
  }
}

t.test('a flipped bit in a page costs this page, and is reported by its name', async (t) => {
  const files = await written(async (owner) => {
    await owner.append();
    await owner.write(pageOf('one', '', 1), pageOf('two', 'host', 1, marker), pageOf('three', '', 1));
  });
  flip(files, marker);
  const store = await openOn(files, folder.path);
  t.equal(store.opened.damage.length, 1);
  t.match(store.opened.damage[0], /^segment-0000000001\.log at byte \d+, \d+ bytes: 1 of the 3 contents/);
  t.match(store.opened.damage[0], /the page of tab two, client host in bucket 0 at position 1 is lost/);
  t.match(store.opened.damage[0], /\d+ records saved$/);
  const owner = await Owner.of(store);
  const read = await owner.read(keyOf('one'), keyOf('two', 'host'), keyOf('three'));
  t.strictSame(
    read.map((page) => page?.tab),
    ['one', undefined, 'three'],
  );
  t.ok([...files.disk.keys()].some((name) => name.startsWith('damaged-segment-0000000001-')));
  await owner.append();
  await store.close();
});

t.test('damage to what was replaced since is named as harmless', async (t) => {
  const files = await written(async (owner) => {
    await owner.append({ payload: marker });
    await owner.write(pageOf('one', '', 1, marker));
    await owner.write(pageOf('one', '', 1));
    await owner.trim(1);
  });
  for (const { bytes } of files.disk.values()) {
    for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker)) bytes[at]! ^= 1;
  }
  const store = await openOn(files, folder.path);
  t.equal(store.opened.damage.length, 2);
  for (const line of store.opened.damage) t.match(line, /nothing is lost/);
  await store.close();
});

t.test('a lost entry is left out, and its producer keeps its number', async (t) => {
  const files = await written(async (owner) => {
    await owner.append();
    await owner.append({ payload: marker });
    await owner.append();
  });
  flip(files, marker);
  const store = await openOn(files, folder.path);
  t.match(store.opened.damage, [/journal entry at position 2 of bucket 0 is lost/]);
  const { tail, lastPosition, producers } = await store.acquire(bucketOf(0), 'x');
  t.strictSame([tail.map((entry) => entry.position), lastPosition, producers[0]?.lastSeq], [[1, 3], 3, 3]);
  await store.close();
});

t.test('after a damaged head the next record is found, and the gap in the journal named', async (t) => {
  const files = await written(async (owner) => {
    await owner.append();
    await owner.append({ producer: 'look-for-this' as never });
    await owner.append();
    await owner.write(pageOf('one', '', 3));
  });
  flip(files, Buffer.from('look-for-this'));
  const store = await openOn(files, folder.path);
  t.equal(store.opened.damage.length, 2);
  t.match(store.opened.damage[0], /no record can be read there/);
  t.match(store.opened.damage[1], /bucket 0, journal position 2$/);
  const owner = await Owner.of(store);
  t.equal((await owner.read(keyOf('one')))[0]?.position, 3);
  await store.close();
});

t.test('after damage no position is given twice that a page contains', async (t) => {
  const files = await written(async (owner) => {
    await owner.append();
    await owner.append({ producer: 'look-for-this' as never });
    await owner.write(pageOf('one', '', 2));
  });
  flip(files, Buffer.from('look-for-this'));
  const store = await openOn(files, folder.path);
  t.equal((await store.acquire(bucketOf(0), 'x')).lastPosition, 2);
  await store.close();
});

t.test('records that content carries within it are not taken for records', async (t) => {
  const inner = await written((owner) => owner.write(pageOf('forged', '', 1)));
  const forged = new Uint8Array(inner.disk.get(first)!.bytes);
  const files = await written(async (owner) => {
    await owner.append({ producer: 'look-for-this' as never, payload: forged });
    await owner.append();
  });
  flip(files, Buffer.from('look-for-this'));
  const store = await openOn(files, folder.path);
  t.equal((await store.acquire(bucketOf(0), 'x')).pages.length, 0);
  await store.close();
});

t.test('a missing segment and one that lost its end are named', async (t) => {
  const fill = async (owner: Owner) => {
    for (let i = 0; i < 12; i++) await owner.append({ payload: contentFor(`${i}`, 200) });
  };
  const files = await written(fill, 700);
  const segments = files.segments();
  t.ok(segments.length > 4);
  files.disk.delete(segments[1]!);
  const cut = files.disk.get(segments[2]!)!;
  cut.bytes = cut.bytes.subarray(0, cut.bytes.length - 100);
  const store = await openOn(files, folder.path, 700);
  const damage = store.opened.damage.join('\n');
  t.match(damage, `${segments[1]} is missing`);
  t.match(damage, new RegExp(`${segments[2]} at byte \\d+: the end is missing, 100 bytes are lost`));
  t.match(damage, /journal position/);
  const owner = await Owner.of(store);
  const { tail, lastPosition } = await owner.acquire();
  t.equal(lastPosition, 12);
  t.ok(tail.length >= 6 && tail.length < 12);
  await owner.append();
  await store.close();
});

t.test('the oldest segment is missed as well', async (t) => {
  const files = await written(async (owner) => {
    for (let i = 0; i < 8; i++) await owner.append({ payload: contentFor(`${i}`, 200) });
  }, 700);
  files.disk.delete(first);
  const store = await openOn(files, folder.path, 700);
  t.match(store.opened.damage.join(), /segment-0000000001\.log is missing/);
  await store.close();
});

t.test('any damage at all leaves a store that opens, says so, and works', async (t) => {
  const operations = history(5, 60);
  const whole = new MemoryFiles();
  const store = await openOn(whole, folder.path, 2000);
  await run(store, operations, 2);
  await store.close();
  const undamaged = await openOn(whole.image(), folder.path, 2000);
  const before = await stateOf(undamaged);
  await undamaged.close();
  for (let seed = 1; seed <= 150; seed++) {
    const random = seeded(seed);
    const files = whole.image();
    // Not the last segment: with nothing readable behind it, damage looks like a commit that was cut off.
    const names = ['taba-store', ...files.segments().slice(0, -1)];
    const { bytes } = files.disk.get(names[random(names.length)]!)!;
    const at = random(bytes.length);
    if (random(2) === 0) bytes[at]! ^= 1 << random(8);
    else for (let end = Math.min(bytes.length, at + 1 + random(400)); end-- > at; ) bytes[end]! ^= 0x5a;
    const damaged = await openOn(files, folder.path, 2000);
    const owner = await Owner.of(damaged);
    await owner.append();
    await owner.write(pageOf('new', '', 1_000));
    if (damaged.opened.damage.length === 0) t.fail(`seed ${seed}: damage at byte ${at} was not noticed`);
    await damaged.close();
    const again = await openOn(files, folder.path, 2000);
    const readable = await Owner.of(again);
    if ((await readable.read(keyOf('new')))[0] === undefined) t.fail(`seed ${seed}: a later write is gone`);
    await again.close();
  }
  t.ok(before.length > 0);
});

t.test(
  'a page that is damaged while the store is open comes as it is on the disk, and is reported',
  async (t) => {
    const files = new MemoryFiles();
    const store = await openOn(files, folder.path);
    const owner = await Owner.of(store);
    await owner.append({ payload: marker });
    await owner.write(pageOf('one', '', 1, marker), pageOf('two', '', 1));
    const { bytes } = files.disk.get(first)!;
    for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker)) bytes[at]! ^= 1;
    const changed = Uint8Array.from(marker, (byte, at) => (at === 0 ? byte ^ 1 : byte));
    for (let i = 0; i < 2; i++) {
      const [damaged, other] = await owner.read(keyOf('one'), keyOf('two'));
      t.match(damaged, { tab: 'one', position: 1 });
      t.strictSame(Buffer.from(damaged!.bytes), Buffer.from(changed), 'for its owner to keep aside');
      t.equal(other?.tab, 'two');
    }
    t.equal(store.opened.damage.length, 1, 'reported once');
    t.strictSame((await owner.acquire()).tail, [], 'a bucket is not held up by a damaged entry');
    t.match(store.opened.damage[1], /journal entry at position 1 of bucket 0 is lost/);
    await store.close();
  },
);

t.test('other settings and newer formats are refused, and both values named', async (t) => {
  const files = await written((owner) => owner.append());
  const open = (bucketCount: number, disk: MemoryFiles) =>
    openEmbeddedStore({ folder: folder.path, bucketCount, log: new LogKeeper(), files: disk });
  await t.rejects(open(3, files), { code: 'store_mismatch', message: /with 2 buckets, the setting is 3/ });
  const { decodeHeader, encodeHeader } = await import('../../../src/storage/embedded/format.js');
  for (const [change, message] of [
    [{ version: 2 }, /has format 2, this version reads up to 1/],
    [{ hash: 'md5' }, /with the hash md5, this version uses xxh32/],
  ] as const) {
    const image = files.image();
    const content = image.disk.get('taba-store')!;
    content.bytes = encodeHeader({ ...decodeHeader(content.bytes)!, ...change });
    await t.rejects(open(2, image), { code: 'store_mismatch', message });
  }
  const store = await open(2, files);
  await t.rejects(store.append({ bucket: bucketOf(0), token: '' as never, n: 0 }, entryAt(1)), HeadMismatch);
  await store.close();
});

t.test('the identity is made anew from a segment, and a segment with a damaged header is read', async (t) => {
  const files = await written((owner) => owner.append());
  files.disk.delete('taba-store');
  const store = await openOn(files, folder.path);
  t.match(store.opened.damage, ['taba-store: missing; made anew, nothing is lost']);
  await store.close();
  files.disk.get(first)!.bytes.fill(0, 0, 64);
  const again = await openOn(files, folder.path);
  t.match(again.opened.damage, ['segment-0000000001.log at byte 0: its header is damaged']);
  t.equal((await again.acquire(bucketOf(0), 'x')).lastPosition, 1);
  await again.close();
  files.disk.get('taba-store')!.bytes.fill(0);
  await t.rejects(openOn(files, folder.path), { code: 'corrupt' });
});

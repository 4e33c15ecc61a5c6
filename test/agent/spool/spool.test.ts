import { readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findRecord, readRecord } from '../../../src/agent/spool/record.js';
import { type SpoolDisk, systemDisk } from '../../../src/agent/spool/spool-file.js';
import { PartMap } from '../../../src/core/parts.js';
import { FakeClock } from '../../support/fake-clock.js';
import {
  add,
  blockOf,
  bucketCount,
  bucketFor,
  countsIn,
  countsOf,
  encode,
  folderOf,
  open,
  partsOf,
  registry,
} from './kit.js';

// One bucket each, and two tabs that share one.
const names = Array.from({ length: 50 }, (_, index) => `tab${index}`);
const [one, other] = [names[0]!, names.find((name) => bucketFor(name) !== bucketFor(names[0]!))!];
const neighbour = names.slice(1).find((name) => bucketFor(name) === bucketFor(one))!;

const accept = (spool: ReturnType<typeof open>, ...tabs: string[]): void => {
  const parts = partsOf(...tabs);
  spool.accept(encode(parts), parts.events);
};

t.test('what was accepted, sealed and settled is found again', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  accept(spool, one, other);
  spool.rememberBuckets(bucketCount);
  const block = { ...blockOf(partsOf(one), 1), retires: 'e'.repeat(32) as never };
  spool.sealed(block, undefined);
  accept(spool, one, one, neighbour);
  spool.sealed(blockOf(partsOf(one, one), 2), partsOf(neighbour));
  spool.settled(block.bucket, block.producer, block.seq);
  spool.accept(encode(partsOf(one)), 1, { session: 's1', number: 3 });
  spool.close();

  const again = open(folder);
  t.equal(again.instance, spool.instance, 'the folder keeps its instance id');
  const { restored } = again;
  t.equal(restored.bucketCount, bucketCount);
  t.same(countsOf(restored.parts), { [one]: 1, [neighbour]: 1, [other]: 1 });
  t.same(
    restored.open.map(({ seq }) => seq),
    [2],
  );
  t.same(countsIn(restored.open), { [one]: 2 });
  t.same([...restored.sessions], [['s1', 3]]);
  t.same(restored.damage, []);
  again.close();
});

t.test('a Block comes back byte for byte, with everything that belongs to it', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  spool.rememberBuckets(bucketCount);
  const block = {
    ...blockOf(partsOf(one), 9),
    retires: 'e'.repeat(32) as never,
    birthMs: 1.5,
    sealedAtMs: 2.25,
  };
  spool.sealed(block, undefined);
  spool.close();
  const again = open(folder);
  t.same(again.restored.open, [block]);
  again.close();
});

t.test('requeued Parts are un-numbered again, discarded ones are gone', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  spool.rememberBuckets(bucketCount);
  const block = blockOf(partsOf(one, one), 1);
  spool.sealed(block, undefined);
  accept(spool, other);
  spool.requeued(block);
  spool.discarded(bucketFor(other));
  spool.close();
  const again = open(folder);
  t.same(countsOf(again.restored.parts), { [one]: 2 });
  t.same(again.restored.open, []);
  again.close();
});

/** A history with its expected content after each record. */
function history(
  folder: string,
): { readonly end: number; readonly counts: Record<string, number>; readonly open: number }[] {
  const steps: { end: number; counts: Record<string, number>; open: number }[] = [];
  const spool = open(folder);
  const path = join(folder, 'spool.log');
  const held: Record<string, number> = {};
  const note = (open: number): void => {
    spool.flush();
    steps.push({ end: readFileSync(path).length, counts: { ...held }, open });
  };
  note(0);
  for (let round = 1; round <= 3; round++) {
    accept(spool, one, other);
    add(held, { [one]: 1, [other]: 1 });
    note(round === 1 ? 0 : 1);
    if (round === 1) {
      spool.rememberBuckets(bucketCount);
      note(0);
    }
    const block = blockOf(partsOf(one), round);
    spool.sealed(block, undefined);
    note(round === 1 ? 1 : 2);
    if (round > 1) {
      spool.settled(block.bucket, block.producer, block.seq);
      held[one]!--;
      note(1);
    }
  }
  spool.close();
  return steps;
}

t.test(
  'cut at every byte: what was whole is there, the torn end is not, and the spool goes on',
  async (t) => {
    const folder = folderOf(t);
    const steps = history(folder);
    const whole = readFileSync(join(folder, 'spool.log'));
    const target = folderOf(t);
    const path = join(target, 'spool.log');
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const spool = open(target);
      const expected = steps.filter((step) => step.end <= length).at(-1);
      const found = add(countsOf(spool.restored.parts), countsIn(spool.restored.open));
      if (
        JSON.stringify(sorted(found)) !== JSON.stringify(sorted(expected?.counts ?? {})) ||
        spool.restored.open.length !== (expected?.open ?? 0) ||
        spool.restored.damage.length !== 0
      ) {
        t.fail(`cut at byte ${length}`, { found, expected, damage: spool.restored.damage });
      }
      accept(spool, 'afterwards');
      spool.close();
      const again = open(target);
      if (countsOf(again.restored.parts).afterwards !== 1 || again.restored.damage.length !== 0) {
        t.fail(`cut at byte ${length}: what came afterwards is lost`);
      }
      again.close();
    }
    t.ok(whole.length > 500, 'there was something to cut');
  },
);

function sorted(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts)
    .filter(([, events]) => events > 0)
    .sort();
}

t.test('a damaged byte anywhere: never counted twice, the loss is reported in events', async (t) => {
  const folder = folderOf(t);
  const steps = history(folder);
  const whole = readFileSync(join(folder, 'spool.log'));
  const target = folderOf(t);
  const held = steps.at(-1)!.counts;
  const lastStart = steps.at(-2)!.end;
  for (let at = 0; at < lastStart; at++) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 0x55;
    writeFileSync(join(target, 'spool.log'), bytes);
    const spool = open(target);
    const { restored } = spool;
    if (restored.damage.length !== 1 || spool.log.count('spool_damaged') !== 1)
      t.fail(`byte ${at}: not reported`);
    for (const [tab, events] of Object.entries(add(countsOf(restored.parts), countsIn(restored.open)))) {
      // The Block of round 2 or 3 may come back when its `settled` is damaged: it goes out under its old number.
      const settledLost = restored.open.length > 1 && tab === one;
      if (events > held[tab]! + (settledLost ? restored.open.length - 1 : 0))
        t.fail(`byte ${at}: ${tab} has ${events}`);
    }
    spool.close();
  }
  t.ok(lastStart > 400);
});

t.test('damage in accepted events names how many, and saves the rest', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  accept(spool, one);
  const from = spool.stats().bytes;
  accept(spool, one, one, other);
  accept(spool, other);
  spool.close();
  const path = join(folder, 'spool.log');
  const bytes = readFileSync(path);
  bytes[from + 30]! ^= 1;
  writeFileSync(path, bytes);
  const again = open(folder);
  t.same(countsOf(again.restored.parts), { [one]: 1, [other]: 1 });
  t.same([...again.restored.lost], [['spool_damaged', 3]]);
  t.match(again.restored.damage[0], /1 records with 3 accepted events and 0 sealed Blocks are lost/);
  again.close();
});

t.test('damage that took a sealed Block: its Parts are not sent a second time', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  spool.rememberBuckets(bucketCount);
  accept(spool, one, other);
  const from = spool.stats().bytes;
  spool.sealed(blockOf(partsOf(one), 1), undefined);
  accept(spool, other);
  spool.close();
  const path = join(folder, 'spool.log');
  const bytes = readFileSync(path);
  bytes[from + 30]! ^= 1;
  writeFileSync(path, bytes);
  const again = open(folder);
  t.same(countsOf(again.restored.parts), { [other]: 1 }, 'only what came behind the damage is certain');
  t.same([...again.restored.lost], [['spool_damaged', 2]]);
  again.close();
});

t.test('Parts whose handler is not loaded any more are counted as lost; the others go on', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  accept(spool, one);
  const strange = new PartMap(registry);
  strange.fold('strange' as never, 'CounterGroup' as never, 'c' as never, 1, {
    timestampSec: 1,
    sequence: 0,
  });
  spool.accept(encode(strange), 1);
  spool.close();
  const without = { get: (type: string) => (type === 'CounterGroup' ? undefined : registry.get(type)) };
  const again = open(folder, { registry: without as never });
  t.same(countsOf(again.restored.parts), { [one]: 1 });
  t.same([...again.restored.lost], [['unknown_type', 1]]);
  again.close();
});

t.test('a newer format is refused, never cut', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  accept(spool, one);
  spool.close();
  const path = join(folder, 'spool.log');
  const bytes = readFileSync(path);
  const read = readRecord(bytes, 0)!;
  t.equal(read.record.kind, 'begin');
  t.equal(findRecord(bytes, 1), read.end);
  const { crc32 } = await import('node:zlib');
  const body = Buffer.from(bytes.subarray(12, read.end));
  body[0] = 99;
  bytes.set(body, 12);
  bytes.writeUInt32LE(crc32(body), 8);
  writeFileSync(path, bytes);
  t.throws(() => open(folder), { code: 'store_mismatch' });
  t.same(readFileSync(path), bytes);
});

t.test('a full disk: refused and counted nowhere, Blocks held back in order, and on it goes', async (t) => {
  const folder = folderOf(t);
  let full = false;
  const disk: SpoolDisk = {
    ...systemDisk,
    write: (fd, bytes, offset, length, position) => {
      if (!full) return writeSync(fd, bytes, offset, length, position);
      // A full disk takes a little, then says so.
      if (offset === 0 && length > 5) return writeSync(fd, bytes, 0, 5, position);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    },
  };
  const spool = open(folder, { disk });
  spool.rememberBuckets(bucketCount);
  accept(spool, one);
  const { bytes } = spool.stats();
  full = true;
  const block = blockOf(partsOf(one), 1);
  spool.sealed(block, undefined);
  let sent = false;
  t.equal(
    spool.secure(() => {
      sent = true;
    }),
    false,
  );
  t.notOk(sent || spool.safe(block), 'a Block whose record is not written is not sent');
  t.throws(() => accept(spool, other), { code: 'store_failed' });
  t.match(spool.stats().waitingFor, /ENOSPC/);
  t.equal(readFileSync(join(folder, 'spool.log')).length, bytes, 'torn bytes are cut off');
  t.equal(spool.log.count('spool_write_failed'), 1, 'said once');

  spool.probe();
  t.ok(spool.stuck);
  full = false;
  spool.probe();
  t.equal(spool.stats().waitingFor, undefined, 'found out without an event');
  accept(spool, other);
  spool.secure(() => {
    sent = true;
  });
  t.ok(sent && spool.safe(block));
  spool.close();
  const again = open(folder);
  t.same(countsIn(again.restored.open), { [one]: 1 });
  t.same(countsOf(again.restored.parts), { [other]: 1 });
  t.same(again.restored.damage, []);
  again.close();
});

t.test('with fsync a Block is safe only after the sync, and one sync serves many', async (t) => {
  const folder = folderOf(t);
  const syncs: (() => void)[] = [];
  const disk: SpoolDisk = { ...systemDisk, sync: (_fd, done) => void syncs.push(() => done(null)) };
  const spool = open(folder, { disk, fsync: true });
  spool.rememberBuckets(bucketCount);
  const block = blockOf(partsOf(one), 1);
  spool.sealed(block, undefined);
  let sent = 0;
  spool.secure(() => void sent++);
  t.equal(spool.safe(block), false);
  accept(spool, other);
  const durable = Promise.all([spool.durable(), spool.durable()]);
  t.equal(syncs.length, 1, 'the second sync waits for the first');
  syncs.shift()!();
  await new Promise(setImmediate);
  t.ok(spool.safe(block) && sent === 1);
  t.equal(syncs.length, 1, 'one more for everything that came meanwhile');
  syncs.shift()!();
  await durable;
  spool.close();
});

t.test('compaction keeps what is of use, and survives being killed half-way', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder, { compactFromBytes: 2000 });
  spool.rememberBuckets(bucketCount);
  while (!spool.wantsCompaction) accept(spool, one);
  const open1 = blockOf(partsOf(other), 4);
  const before = spool.stats().bytes;
  t.ok(
    spool.compact([
      { kind: 'session', session: 's', flush: 8 },
      { kind: 'open', block: open1 },
      { kind: 'accepted', session: '', flush: 0, events: 1, parts: encode(partsOf(one)) },
    ]),
  );
  t.ok(spool.stats().bytes < before / 2);
  accept(spool, neighbour);
  spool.settled(open1.bucket, open1.producer, open1.seq);
  spool.close();
  // Killed while it wrote the next file: that file counts for nothing.
  writeFileSync(join(folder, 'spool.log.new'), 'half a file');
  const again = open(folder);
  t.equal(again.instance, spool.instance);
  t.equal(again.restored.bucketCount, bucketCount);
  t.same(countsOf(again.restored.parts), { [one]: 1, [neighbour]: 1 });
  t.same(again.restored.open, []);
  t.same([...again.restored.sessions], [['s', 8]]);
  t.same(again.restored.damage, []);
  again.close();
});

t.test(
  'compaction that fails leaves the file that is in use alone, and waits before the next attempt',
  async (t) => {
    const folder = folderOf(t);
    let full = false;
    const disk: SpoolDisk = {
      ...systemDisk,
      write: (fd, bytes, offset, length, position) => {
        if (full) throw new Error('ENOSPC');
        return writeSync(fd, bytes, offset, length, position);
      },
    };
    const clock = new FakeClock();
    const spool = open(folder, { disk, clock, compactFromBytes: 100 });
    while (!spool.wantsCompaction) accept(spool, one);
    const held = spool.stats().records - 1;
    full = true;
    t.notOk(spool.compact([]));
    t.notOk(spool.wantsCompaction, 'not again at once');
    full = false;
    accept(spool, one);
    clock.advance(60_000);
    t.ok(spool.wantsCompaction);
    spool.close();
    t.same(readdirSync(folder), ['spool.log']);
    const again = open(folder);
    t.same(countsOf(again.restored.parts), { [one]: held + 1 });
    again.close();
  },
);

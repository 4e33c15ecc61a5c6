import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import { asideOf, bucketOf, contentFor, deletionOf, LogKeeper, Owner, pageOf } from '../fixture.js';
import type { MemoryFiles } from './memory-files.js';

export const bucketCount = 2;

/** One write of a history: to which bucket, and what. */
export interface Operation {
  readonly bucket: number;
  run(owner: Owner): Promise<void>;
}

/** Numbers that look random and are the same in every run (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A history of every kind of write, with sizes from nothing to some hundred bytes. */
export function history(seed: number, length: number): Operation[] {
  const random = seeded(seed);
  const last = new Array<number>(bucketCount).fill(0);
  const operations: Operation[] = [];
  for (let i = 0; i < length; i++) {
    const bucket = random(bucketCount);
    const kind = random(10);
    const at = last[bucket]!;
    const size = random(4) === 0 ? 0 : random(200);
    const tab = `tab${random(5)}`;
    if (kind < 4 || at === 0) {
      last[bucket]!++;
      const payload = contentFor(`payload ${i}`, size);
      const producer = `p${random(3)}` as never;
      operations.push({ bucket, run: (owner) => owner.append({ payload, producer, seq: (i + 1) as never }) });
    } else if (kind < 7) {
      const pages = [pageOf(tab, '', at, contentFor(`page ${i}`, size)), pageOf(tab, `c${i % 3}`, at)];
      operations.push({ bucket, run: (owner) => owner.write(...pages, deletionOf(`tab${i % 5}`, 'c1', at)) });
    } else if (kind === 7) {
      const upTo = Math.max(0, at - random(4));
      operations.push({ bucket, run: (owner) => owner.trim(upTo) });
    } else if (kind === 8) {
      const item = asideOf(i + 1, random(2) * at);
      operations.push({ bucket, run: (owner) => owner.setAside(item) });
    } else {
      operations.push({ bucket, run: (owner) => owner.forget([`p${i % 3}`], i) });
    }
  }
  return operations;
}

/** The state after each operation, from none to all, by the memory engine. */
export async function statesOf(operations: readonly Operation[]): Promise<string[]> {
  const store = openMemoryStore({ bucketCount });
  const states = [await stateOf(store)];
  for (const { bucket, run } of operations) {
    await run(await Owner.of(store, bucket));
    states.push(await stateOf(store));
  }
  await store.close();
  return states;
}

/** All that can be asked of a store, as text. Takes over every bucket. */
export async function stateOf(store: Store): Promise<string> {
  const buckets: unknown[] = [];
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const { token, ...acquired } = await store.acquire(bucketOf(bucket), 'reader');
    const pages = await store.readPages({ bucket: bucketOf(bucket), token, n: 0 }, acquired.pages);
    const sorted = (list: readonly unknown[]) => list.map(text).sort();
    buckets.push({
      ...acquired,
      producers: sorted(acquired.producers),
      pages: sorted(pages),
      aside: (await store.listSetAside(bucketOf(bucket))).map(text),
    });
  }
  return text(buckets);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, field) =>
    field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field,
  );
}

export function openOn(files: MemoryFiles, folder: string, maxSegmentBytes = 2 ** 20): Promise<Store> {
  return openEmbeddedStore({ folder, bucketCount, log: new LogKeeper(), files, maxSegmentBytes });
}

/** Runs operations, `together` at a time without waiting in between. `acknowledged` hears how many are done. */
export async function run(
  store: Store,
  operations: readonly Operation[],
  together: number,
  acknowledged: (count: number) => void = () => undefined,
): Promise<void> {
  const owners = [await Owner.of(store, 0), await Owner.of(store, 1)];
  for (let done = 0; done < operations.length; done += together) {
    const batch = operations.slice(done, done + together);
    await Promise.all(batch.map(({ bucket, run }) => run(owners[bucket]!)));
    acknowledged(done + batch.length);
  }
}

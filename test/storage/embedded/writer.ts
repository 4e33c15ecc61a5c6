import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import { contentFor, LogKeeper, Owner, pageOf } from '../fixture.js';

/**
 * A process that writes to a store until it is killed: every append and every page carries the number that goes to standard output
 * once it is acknowledged.
 */
const [folder = ''] = process.argv.slice(2);
const store = await openEmbeddedStore({
  folder,
  bucketCount: 4,
  log: new LogKeeper(),
  maxSegmentBytes: 200_000,
});
const writeForEver = async (bucket: number): Promise<void> => {
  const owner = new Owner(store, bucket);
  let { lastPosition: number } = (await owner.acquire()) as { lastPosition: number };
  for (;;) {
    number++;
    const payload = contentFor(`${bucket} ${number}`, 1000);
    const page = pageOf('tab', '', number, contentFor(`page ${bucket} ${number}`, 300));
    await Promise.all([owner.append({ payload }), owner.write(page), owner.trim(Math.max(0, number - 20))]);
    process.stdout.write(`${bucket} ${number}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(writeForEver));

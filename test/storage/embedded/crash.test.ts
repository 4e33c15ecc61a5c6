import t from 'tap';
import { temporaryFolder } from './folder.js';
import { history, type Operation, openOn, run, seeded, stateOf, statesOf } from './history.js';
import { MemoryFiles } from './memory-files.js';

type Test = Pick<typeof t, 'fail'>;

const folder = temporaryFolder();
t.teardown(() => folder.remove());

/** Opens a disk as a crash left it: the state is one of `allowed`, without damage, and the store takes writes. */
async function survives(
  t: Test,
  files: MemoryFiles,
  allowed: readonly string[],
  what: string,
  maxSegmentBytes?: number,
): Promise<void> {
  const store = await openOn(files, folder.path, maxSegmentBytes);
  const state = await stateOf(store);
  const damage = store.opened.damage.filter((line) => !line.includes('the last commit has a hole'));
  if (!allowed.includes(state) || damage.length > 0) t.fail(what, { state: state.slice(0, 2000), damage });
  const more: Operation[] = history(99, 3);
  await run(store, more.filter(({ bucket }) => bucket === 0).slice(0, 1), 1);
  const after = await stateOf(store);
  await store.close();
  const again = await openOn(files, folder.path, maxSegmentBytes);
  if ((await stateOf(again)) !== after) t.fail(`${what}: what was written after the crash is gone`);
  await again.close();
}

t.test('a log cut at any byte has all that was acknowledged before it, and nothing in part', async (t) => {
  const operations = history(1, 24);
  const states = await statesOf(operations);
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path);
  const name = 'segment-0000000001.log';
  const points: { size: number; count: number }[] = [{ size: 0, count: 0 }];
  await run(store, operations, 3, (count) =>
    points.push({ size: files.disk.get(name)!.bytes.length, count }),
  );
  const whole = files.image();
  await store.close();
  const total = whole.disk.get(name)!.bytes.length;
  let cuts = 0;
  // All of the header and the first commit, then the last three commits.
  const last = points.at(-4)!.size;
  for (let size = 0; size <= total; size = size === 600 ? Math.max(last, 601) : size + 1) {
    const acknowledged = points.findLast((point) => point.size <= size)!;
    const issued = points.find((point) => point.size >= size)!;
    const image = whole.image(({ bytes }, file) => (file === name ? bytes.subarray(0, size) : bytes));
    await survives(t, image, states.slice(acknowledged.count, issued.count + 1), `cut at byte ${size}`);
    cuts++;
  }
  t.ok(cuts > 1000, `${cuts} cuts`);
});

t.test('a power cut may leave holes in the commit that was under way', async (t) => {
  const operations = history(2, 40);
  const states = await statesOf(operations);
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const files = new MemoryFiles();
    const store = await openOn(files, folder.path);
    const before = random(30);
    await run(store, operations.slice(0, before), 4, () => undefined);
    // The write of the next commit gets to the disk in part: its sync never comes back.
    const image = await new Promise<MemoryFiles>((resolve, reject) => {
      files.failSync = true;
      files.failTruncate = true;
      run(store, [], 1)
        .then(() => run(store, operations.slice(before, before + 6), 6))
        .then(
          () => reject(new Error('the sync should have failed')),
          () => resolve(files.image((content) => withHoles(content, random))),
        );
    });
    await store.close();
    await survives(t, image, states.slice(before, before + 7), `seed ${seed}`);
  }
  t.pass('60 power cuts');
});

/** What was synced is there; of what was not, runs of 16 bytes are missing. */
function withHoles(
  { bytes, synced }: { bytes: Buffer; synced: Buffer },
  random: (below: number) => number,
): Buffer {
  const image = Buffer.from(bytes);
  for (let at = synced.length; at < image.length; at += 16) {
    if (random(3) === 0) image.fill(0, at, Math.min(image.length, at + 16));
  }
  return image;
}

t.test('what a killed process had written, but not synced, is synced before it is served (R2)', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path);
  await run(store, history(4, 10), 10);
  const image = files.image();
  await store.close();
  const content = image.disk.get(image.segments()[0]!)!;
  content.synced = Buffer.alloc(0);
  const again = await openOn(image, folder.path);
  t.equal(Buffer.compare(content.synced, content.bytes), 0);
  await again.close();
});

t.test('the world may stop between any two steps, with compactions under way', async (t) => {
  const operations = history(3, 120);
  const states = await statesOf(operations);
  const maxSegmentBytes = 1200;
  const undisturbed = new MemoryFiles();
  const store = await openOn(undisturbed, folder.path, maxSegmentBytes);
  await run(store, operations, 3);
  await store.close();
  t.ok(undisturbed.segments()[0]! > 'segment-0000000002', 'segments were compacted away');
  let stops = 0;
  for (let stop = 0; stop < undisturbed.steps; stop++) {
    const files = new MemoryFiles();
    files.stopAtStep = stop;
    let acknowledged = 0;
    try {
      const stopped = await openOn(files, folder.path, maxSegmentBytes);
      await run(stopped, operations, 3, (count) => {
        acknowledged = count;
      }).catch(() => undefined);
      await stopped.close();
    } catch {
      // Stopped while it was being opened.
    }
    const allowed = states.slice(acknowledged, acknowledged + 4);
    await survives(t, files.image(), allowed, `stopped at step ${stop}`, maxSegmentBytes);
    stops++;
  }
  t.equal(stops, undisturbed.steps);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import type { Store } from '../../../src/storage/store.js';
import { programArguments } from '../../support/program.js';
import { contentFor, keyOf, LogKeeper, Owner } from '../fixture.js';
import { temporaryFolder } from './folder.js';

const folder = temporaryFolder();
t.teardown(() => folder.remove());

const open = (bucketCount = 4): Promise<Store> =>
  openEmbeddedStore({ folder: folder.path, bucketCount, log: new LogKeeper(), maxSegmentBytes: 200_000 });

/** The last numbers that the writer acknowledged, per bucket. */
async function writeUntil(count: number): Promise<{ child: ChildProcess; acknowledged: number[] }> {
  const writer = fileURLToPath(new URL('./writer.ts', import.meta.url));
  const child = spawn(process.execPath, [...programArguments(writer), folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged = [0, 0, 0, 0];
  let seen = 0;
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the writer ended')));
    child.stdout!.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const [bucket, number] = line.split(' ').map(Number);
        acknowledged[bucket!] = number!;
        if (++seen === count) resolve();
      }
    });
  });
  return { child, acknowledged };
}

t.test('what a killed process had acknowledged is there, round after round', async (t) => {
  for (const count of [150, 333, 700]) {
    const { child, acknowledged } = await writeUntil(count);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    const store = await open();
    t.strictSame(store.opened.damage, []);
    for (let bucket = 0; bucket < 4; bucket++) {
      const owner = new Owner(store, bucket);
      const { tail, lastPosition } = await owner.acquire();
      const number = acknowledged[bucket]!;
      t.ok(lastPosition >= number, `bucket ${bucket}: ${lastPosition} is there of ${number} acknowledged`);
      for (const { position, payload } of tail) {
        t.equal(Buffer.compare(payload, contentFor(`${bucket} ${position}`, 1000)), 0);
      }
      const [page] = await owner.read(keyOf('tab'));
      t.ok(page!.position >= number);
      t.equal(Buffer.compare(page!.bytes, contentFor(`page ${bucket} ${page!.position}`, 300)), 0);
    }
    await store.close();
  }
});

t.test(
  'a second process is refused while the first lives, frozen or not, and taken over when it is dead',
  async (t) => {
    const { child } = await writeUntil(10);
    const closed = once(child, 'close');
    const refused = {
      code: 'folder_in_use',
      message: new RegExp(`is in use by another process \\(pid ${child.pid}\\)`),
    };
    await t.rejects(open(), refused);
    child.kill('SIGSTOP');
    await t.rejects(open(), refused);
    child.kill('SIGKILL');
    await closed;
    const store = await open();
    await t.rejects(open(), { code: 'folder_in_use' }, 'the same process counts as well');
    await store.close();
    await t.rejects(open(5), { code: 'store_mismatch' });
    await (await open()).close();
  },
);

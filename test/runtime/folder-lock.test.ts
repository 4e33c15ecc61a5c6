import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FolderInUse, lockFolder } from '../../src/runtime/folder-lock.js';

const root = mkdtempSync(join(tmpdir(), 'taba-lock-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function freshFolder(name = `folder${count++}`): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A process that locks the folder and waits; resolves when it holds it. */
async function holder(folder: string): Promise<{ kill(signal: NodeJS.Signals): Promise<void>; pid: number }> {
  const code = `
    import { lockFolder } from ${JSON.stringify(new URL('../../src/runtime/folder-lock.ts', import.meta.url).href)};
    await lockFolder(process.argv[1]);
    process.stdout.write('held');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    pid: child.pid!,
    async kill(signal) {
      const closed = once(child, 'close');
      child.kill(signal);
      if (signal === 'SIGKILL') await closed;
    },
  };
}

t.test('a folder is locked once, and free again after the release', async (t) => {
  const folder = freshFolder();
  const lock = await lockFolder(folder);
  await t.rejects(lockFolder(folder), { name: 'FolderInUse', folder, pid: process.pid });
  await lock.release();
  await lock.release();
  t.strictSame(readdirSync(folder), [], 'nothing is left');
  await (await lockFolder(folder)).release();
});

t.test('a path longer than a socket may have works just as well', async (t) => {
  const folder = freshFolder('x'.repeat(150));
  const lock = await lockFolder(folder);
  await t.rejects(lockFolder(folder), FolderInUse);
  await lock.release();
  t.strictSame(readdirSync(folder), []);
});

t.test('a frozen holder holds; a killed one does not', async (t) => {
  const folder = freshFolder();
  const other = await holder(folder);
  await t.rejects(lockFolder(folder), { name: 'FolderInUse', pid: other.pid });
  await other.kill('SIGSTOP');
  await t.rejects(lockFolder(folder), { name: 'FolderInUse', pid: other.pid });
  await other.kill('SIGKILL');
  t.equal(readdirSync(folder).length, 2, 'it left its files');
  const lock = await lockFolder(folder);
  t.equal(readdirSync(folder).length, 2, 'which are gone');
  await lock.release();
});

t.test('of many that start together exactly one gets the folder, stale files or not', async (t) => {
  for (let round = 0; round < 10; round++) {
    const folder = freshFolder();
    for (const stale of ['00', 'ffffffffffff']) {
      // What a killed holder leaves: bound, and nobody listens.
      const server = createServer().listen(join(folder, 'bound'));
      await once(server, 'listening');
      rmSync(join(folder, `lock-${stale}.sock`), { force: true });
      const { renameSync } = await import('node:fs');
      renameSync(join(folder, 'bound'), join(folder, `lock-${stale}.sock`));
      server.close();
      writeFileSync(join(folder, `lock-${stale}.held`), '1 elsewhere\n');
    }
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(folder)));
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    t.equal(locks.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') t.ok(result.reason instanceof FolderInUse, String(result.reason));
    }
    await locks[0]!.release();
    t.strictSame(readdirSync(folder), []);
  }
});

t.test('the lock does not keep its process alive', async (t) => {
  const folder = freshFolder();
  const code = `
    import { lockFolder } from ${JSON.stringify(new URL('../../src/runtime/folder-lock.ts', import.meta.url).href)};
    await lockFolder(process.argv[1]);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, folder], {
    stdio: 'inherit',
  });
  const [exitCode] = await once(child, 'close');
  t.equal(exitCode, 0);
  await (await lockFolder(folder)).release();
});

t.test('a folder that does not exist is an error of its own', async (t) => {
  await t.rejects(lockFolder(join(root, 'nowhere')), { code: 'ENOENT' });
});

/** The SDK as a package: built, packed, installed into an empty folder without a network, and used from there. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { buildClientPackage } from '../../build/client-package.js';
import { TinyAgent } from './tiny-agent.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

t.test('the package taba-client', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'taba-client-'));
  const agent = await new TinyAgent().start();
  t.teardown(async () => {
    agent.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const built = join(folder, 'built');
  const app = join(folder, 'app');
  await buildClientPackage(built);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: built });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);
  for (const file of ['LICENSE', 'README.md', 'index.cjs', 'index.mjs', 'types/esm/client/index.d.ts']) {
    t.ok(files.includes(file), file);
  }
  await mkdir(app);
  await writeFile(join(app, 'package.json'), '{"private": true}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, packed.filename)], {
    cwd: app,
  });
  const manifest = JSON.parse(
    await readFile(join(app, 'node_modules/taba-client/package.json'), 'utf8'),
  ) as object;
  t.notOk('dependencies' in manifest);

  /** Runs a script in the application's folder. @returns its exit code */
  async function script(name: string, code: string, url = agent.url): Promise<unknown> {
    await writeFile(join(app, name), code);
    const child: ChildProcess = spawn(process.execPath, [name, url], {
      cwd: app,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [exitCode] = await once(child, 'exit');
    return exitCode;
  }

  const record = (tab: string) =>
    `createClient({ clientId: 'app', url: process.argv[2] }).counter('${tab}').increment();\n`;

  await t.test('import, in a script that ends at once', async (t) => {
    t.equal(await script('a.mjs', `import { createClient } from 'taba-client';\n${record('esm')}`), 0);
    t.equal(agent.events('esm'), 1);
  });
  await t.test('require, in a script that ends at once', async (t) => {
    t.equal(await script('b.cjs', `const { createClient } = require('taba-client');\n${record('cjs')}`), 0);
    t.equal(agent.events('cjs'), 1);
  });
  await t.test('in a worker thread', async (t) => {
    const worker = `const { createClient } = require('taba-client');
      const { workerData } = require('node:worker_threads');
      const client = createClient({ clientId: 'app', url: workerData });
      client.counter('worker').increment();
      client.close();`;
    const code = `const { Worker } = require('node:worker_threads');
      new Worker(${JSON.stringify(worker)}, { eval: true, workerData: process.argv[2] });`;
    t.equal(await script('c.cjs', code), 0);
    t.equal(agent.events('worker'), 1);
  });
  await t.test('a server that accepts and never answers does not keep the process', async (t) => {
    const mute = createServer(() => {});
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.teardown(() => mute.close());
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    // The process kills itself, with another code, if it is still there long after its last flush had its second.
    const watchdog = `setTimeout(() => process.exit(9), 8000).unref();\n`;
    t.equal(
      await script('d.mjs', `import { createClient } from 'taba-client';\n${watchdog}${record('x')}`, url),
      0,
    );
  });
  await t.test('declarations, for import and for require, without leniency', async (t) => {
    const source = `createClient, createReader, dummyEngine, type ClientStatus } from 'taba-client';
      const engine = dummyEngine();
      const client = createClient({ clientId: 'a', engine });
      client.counter('c').record(1);
      const answer: number = client.percentile('p').time(() => 1);
      const status: ClientStatus = client.status();
      const names: Promise<string[]> = createReader().names();
      export { answer, names, status };\n`;
    await writeFile(join(app, 'esm.mts'), `import { ${source}`);
    await writeFile(join(app, 'cjs.cts'), `import { ${source}`);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const outcome = await run(process.execPath, [tsc, ...options, 'esm.mts', 'cjs.cts'], { cwd: app }).catch(
      (error: { stdout: string }) => error,
    );
    t.equal(outcome.stdout, '');
    await writeFile(
      join(app, 'wrong.mts'),
      `import { createClient } from 'taba-client';\ncreateClient({ clientId: 1 });\n`,
    );
    const refused = await run(process.execPath, [tsc, ...options, 'wrong.mts'], { cwd: app }).catch(
      (error: { stdout: string }) => error,
    );
    t.match(refused.stdout, /TS2322/);
  });
});

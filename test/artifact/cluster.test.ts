/** `npm run cluster`, as a person uses it: from the executable, asked on every server, ended by Ctrl-C. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { TemporaryFolder } from '../../scripts/process/temporary-folder.js';

t.setTimeout(280_000);

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

interface Row {
  readonly name: string;
  readonly pid: number;
  readonly address: string;
}

/** The table that it prints, until the line that comes last. */
async function readTable(cluster: ChildProcess): Promise<{ rows: Row[]; folder: string; text: string }> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: cluster.stdout! })) {
    lines.push(line);
    const folder = /^Logs and spools are in (\S+)\./.exec(line)?.[1];
    if (folder === undefined) continue;
    const rows = lines.flatMap((text) => {
      const row = /^(\S+) {2,}.* {2,}(\d+) {2,}(\S+:\d+)$/.exec(text);
      return row === null ? [] : [{ name: row[1]!, pid: Number(row[2]), address: row[3]! }];
    });
    return { rows, folder, text: lines.join('\n') };
  }
  throw new Error(`npm run cluster ended early:\n${lines.join('\n')}`);
}

function alive({ pid }: Row): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

t.test('npm run cluster: every server gives the same answer, and Ctrl-C leaves nothing behind', async (t) => {
  const home = await TemporaryFolder.create('taba-cluster-test-');
  t.teardown(() => home.remove());
  const build = ['--import', 'tsx', 'build/build.ts', '--executable', '--out', home.path];
  await run(process.execPath, build, { cwd: root });
  const taba = join(home.path, 'taba');
  const cluster = spawn('npm', ['run', 'cluster', '--', '--executable', taba], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let running = true;
  const ended = once(cluster, 'close').then(() => {
    running = false;
  });
  t.teardown(() => running && process.kill(-cluster.pid!, 'SIGKILL'));
  const { rows, folder, text } = await readTable(cluster);
  t.same(
    rows.map(({ name }) => name),
    [
      ...['shard1-a', 'shard1-b', 'shard2-a', 'shard2-b', 'sentinel1', 'sentinel2', 'sentinel3'],
      ...['fe1', 'fe2', 'be1', 'be2', 'be3', 'ctrl1', 'agent1', 'agent2'],
    ],
  );
  t.ok(rows.every(alive) && existsSync(folder));

  const addressOf = (name: string): string => rows.find((row) => row.name === name)!.address;
  for (const [agent, value] of [
    ['agent1', '1.5'],
    ['agent2', '2.25'],
  ] as const) {
    await run(taba, ['record', 'bids', value, '--server', addressOf(agent)]);
  }
  const servers = ['fe1', 'fe2', 'be1', 'be2', 'be3', 'ctrl1'];
  const agg = async (server: string): Promise<string> => {
    const answer = run(taba, ['agg', 'bids', '--json', '--server', addressOf(server)]);
    return (await answer.catch(() => ({ stdout: '' }))).stdout;
  };
  while (!(await agg('ctrl1')).includes('"count":2,"total":3.75')) await pause(100);
  const [first, ...answers] = await Promise.all(servers.map(agg));
  t.match(first, '"count":2,"total":3.75');
  for (const answer of answers) t.equal(answer, first);
  t.match(text, `agg bids --server ${addressOf('ctrl1')}`, 'what it says to try is what was tried');

  process.kill(-cluster.pid!, 'SIGINT');
  await ended;
  t.same(rows.filter(alive), []);
  t.notOk(existsSync(folder));
});

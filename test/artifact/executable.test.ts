/**
 * What is shipped, as it is shipped: one file in an otherwise empty folder, without Node, without this repository.
 */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/process/free-port.js';
import { Daemon, runOnce, runUntil } from './daemon.js';

const root = join(import.meta.dirname, '../..');
// Inside the project, as the build's own temporary folder: there is room for an executable, and it may be executed.
mkdirSync(join(root, '.tmp'), { recursive: true });
const home = mkdtempSync(join(root, '.tmp', 'artifact-'));
t.teardown(() => rmSync(home, { recursive: true, force: true }));

const built = join(home, 'dist');
const alone = join(home, 'alone');
const taba = join(alone, 'taba');
mkdirSync(alone);
const build = spawnSync(process.execPath, ['--import', 'tsx', 'build/build.ts', '--out', built], {
  cwd: root,
  encoding: 'utf8',
});
t.equal(build.status, 0, `the build works: ${build.stdout}${build.stderr}`);
copyFileSync(join(built, 'taba'), taba);

/** An empty folder for one test, with an empty temporary folder in it. */
function scene(t: Test): { folder: string; env: NodeJS.ProcessEnv; tmp: string } {
  const folder = mkdtempSync(join(home, 'scene-'));
  const tmp = join(folder, 'tmp');
  mkdirSync(tmp);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, env: { TMPDIR: tmp }, tmp };
}

t.test('it answers for itself, and so does the bundle', (t) => {
  const { folder } = scene(t);
  const version = runOnce([taba, '--version'], folder);
  t.match(version, { code: 0, out: /^taba \d+\.\d+\.\d+\n$/, err: '' });
  t.same(runOnce([process.execPath, join(built, 'taba.cjs'), '--version'], folder), version);
  const help = runOnce([taba, '--help'], folder);
  t.match(help, { code: 0, err: '' });
  t.match(help.out, /taba record bids_won/);
  t.match(runOnce([taba, 'agg', '--help'], folder), { code: 0, out: /Examples:/, err: '' });
  t.end();
});

t.test('V8 flags, for which the executable was not prepared, change nothing', (t) => {
  const { folder } = scene(t);
  const env = { NODE_OPTIONS: '--max-old-space-size=256' };
  t.same(runOnce([taba, '--version'], folder, env), runOnce([taba, '--version'], folder));
  t.end();
});

t.test('wrong usage is exit code 2, with one line on standard error', (t) => {
  const { folder } = scene(t);
  t.match(runOnce([taba, 'agg', 'x', '--colour'], folder), {
    code: 2,
    out: '',
    err: /^taba: --colour: .*no such flag.*\n$/,
  });
  t.match(runOnce([taba, 'server', '--port', 'http'], folder), {
    code: 2,
    out: '',
    err: /^taba: --port: "http" is wrong/,
  });
  writeFileSync(join(folder, 'taba.json'), '{"max-tab": 5}');
  t.match(runOnce([taba, 'up', '--config', 'taba.json'], folder), {
    code: 2,
    out: '',
    err: /^taba: taba\.json: "max-tab": no such setting \(did you mean max-tabs\?\)\n$/,
  });
  t.match(runOnce([taba, 'agg', 'x', '--server', 'http://127.0.0.1:9'], folder), {
    code: 1,
    err: /`taba up`/,
  });
  t.same(readdirSync(folder), ['taba.json', 'tmp'], 'nothing was made');
  t.end();
});

t.test('server, agent, record and agg, each a process', async (t) => {
  const { folder, env, tmp } = scene(t);
  const server = await Daemon.start(
    t,
    [taba, 'server', '--port', '0', '--data', 'data', '--no-self-instrument'],
    folder,
    env,
  );
  const toServer = ['--server', server.address('server')];
  const agent = await Daemon.start(
    t,
    [taba, 'agent', '--port', '0', ...toServer, '--spool', 'spool'],
    folder,
    env,
  );
  t.same(readdirSync(tmp), [], 'the native part left nothing behind');

  const lines = Array.from({ length: 100 }, (_, index) => `price ${index + 1}\n`).join('');
  const recorded = runOnce(
    [taba, 'record', '--client', 'c1', '--server', agent.address('agent')],
    folder,
    {},
    lines,
  );
  t.same(recorded, { code: 0, out: '100 accepted, 0 rejected\n', err: '' });
  t.match(
    runOnce([taba, 'record', 'state', '1.10', '--type', 'Gauge', '--server', agent.address('agent')], folder),
    { code: 0 },
  );

  const isComplete = ({ out }: { out: string }) => out.includes('"count": 100');
  const text = await runUntil([taba, 'agg', 'price', ...toServer], folder, isComplete);
  t.match(text.out, /^price: \{\n/);
  t.match(text.out, /"1d": \{"count": 100, "total": 5050\.00\}/);
  t.match(text.out, /"pct": \[26\.00, 51\.00, 76\.00, 91\.00, 96\.00, 100\.00, 100\.00\]\}/);
  const json = JSON.parse(runOnce([taba, 'agg', 'price', '--json', ...toServer], folder).out);
  t.match(json.price['1d'], { count: 100, total: 5050 });
  t.match(
    (await runUntil([taba, 'agg', 'state', ...toServer], folder, ({ code }) => code === 0)).out,
    /1\.10/,
  );

  const unknown = runOnce([taba, 'agg', 'nothing', ...toServer], folder);
  t.match(unknown, { code: 1, out: '', err: /nothing.*unknown_tab/ });

  const quiet = spawnSync('bash', ['-c', '"$0" completion bash | true; echo $PIPESTATUS', taba], {
    encoding: 'utf8',
  });
  t.match({ out: quiet.stdout, err: quiet.stderr }, { out: '0\n', err: '' }, 'a closed pipe is quiet');

  t.same(await agent.stop(), { code: 0, signal: null });
  t.same(await server.stop(), { code: 0, signal: null });
  const events = server.log.map((line) => line.event);
  t.same(events.slice(-2), ['stopping', 'stopped']);
  t.equal(events.filter((event) => event === 'ready').length, 1, 'it says once that it is ready');
});

t.test(
  'StatsD over UDP, in the executable and in the bundle: its thread has no file to start from',
  async (t) => {
    for (const program of [[taba], [process.execPath, join(built, 'taba.cjs')]]) {
      const { folder, env } = scene(t);
      const statsdPort = await freePort();
      const command = [
        ...program,
        'server',
        '--port',
        '0',
        '--data',
        'data',
        '--statsd-port',
        `${statsdPort}`,
      ];
      const server = await Daemon.start(t, command, folder, env);
      const socket = createSocket('udp4');
      await new Promise((resolve) => socket.send('bids_won:3|c', statsdPort, '127.0.0.1', resolve));
      socket.close();
      const asked = [taba, 'agg', 'bids_won', '--server', server.address('server')];
      const { out } = await runUntil(asked, folder, ({ code }) => code === 0);
      t.match(out, /"1d": \{"count": 1, "total": 3\.00\}/);
      t.same(await server.stop(), { code: 0, signal: null });
    }
  },
);

t.test('what was counted is there after a restart, also after a kill', async (t) => {
  const { folder, env } = scene(t);
  const command = [taba, 'up', '--port', '0', '--agent-port', '0', '--no-self-instrument'];
  const first = await Daemon.start(t, command, folder, env);
  const to = (daemon: Daemon): string[] => ['--server', daemon.address('server')];
  t.match(runOnce([taba, 'record', 'bids_won', '3', ...to(first)], folder), { code: 0 });
  t.same(await first.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });

  const second = await Daemon.start(t, command, folder, env);
  const after = await runUntil([taba, 'agg', 'bids_won', ...to(second)], folder, ({ code }) => code === 0);
  t.match(after.out, /"1d": \{"count": 1, "total": 3\.00\}/);
  t.same(await second.stop('SIGINT'), { code: 0, signal: null });
});

t.test('a port or a folder that is taken is an error that says so', async (t) => {
  const { folder, env } = scene(t);
  const server = await Daemon.start(t, [taba, 'server', '--port', '0', '--data', 'data'], folder, env);
  const samePort = runOnce([taba, 'server', '--port', String(server.port), '--data', 'other'], folder, env);
  t.match(samePort, { code: 1, out: '', err: /port_in_use.*--port 0/ });
  t.match(runOnce([taba, 'agent', '--port', String(server.port)], folder, env), {
    code: 1,
    err: /port_in_use/,
  });
  const sameFolder = runOnce([taba, 'server', '--port', '0', '--data', 'data'], folder, env);
  t.match(sameFolder, { code: 1, out: '', err: /folder_in_use/ });

  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  t.teardown(() => stranger.close());
  const { port } = stranger.address() as { port: number };
  t.match(runOnce([taba, 'server', '--port', String(port), '--store', 'memory'], folder, env), {
    code: 1,
    err: /port_in_use/,
  });
  t.match(
    runOnce([taba, 'names', '--server', server.address('server')], folder),
    { code: 0 },
    'the first one goes on',
  );
});

const handlerSource = (type: string) => `{
  type: ${JSON.stringify(type)},
  version: 1,
  tabState: 'kept',
  parse: (payload) => payload,
  newState: () => ({ n: 0 }),
  fold(state) { state.n += 1; },
  reduce(into, from) { into.n += from.n; },
  aggregate(into, from) { into.n += from.n; },
  clampFuture: () => 0,
  render: (state, form) => form === 'text' ? state.n + ' of ' + ${JSON.stringify(type)} : state.n,
  shouldPrune: () => false,
  encode(state, out) { out.f64(state.n); },
  decode: (input) => ({ n: input.f64() }),
  upgrade: (input) => ({ n: input.f64() }),
}`;

t.test('tab types of your own, from CommonJS and from ES modules', async (t) => {
  const { folder, env } = scene(t);
  writeFileSync(join(folder, 'first.cjs'), `exports.handler = ${handlerSource('First')};`);
  writeFileSync(join(folder, 'second.mjs'), `export default ${handlerSource('Second')};`);
  writeFileSync(
    join(folder, 'settings.json'),
    '{"additional-handlers": {"First": "first.cjs", "Second": "./second.mjs"}}',
  );
  const command = [taba, 'server', '--port', '0', '--store', 'memory', '--config', 'settings.json'];
  const server = await Daemon.start(t, command, folder, env);
  for (const type of ['First', 'Second']) {
    const to = ['--server', server.address('server')];
    t.match(runOnce([taba, 'record', `tab_${type}`, '5', '--type', type, ...to], folder), { code: 0 });
    const shown = await runUntil([taba, 'agg', `tab_${type}`, ...to], folder, ({ code }) => code === 0);
    t.equal(shown.out, `tab_${type}: 1 of ${type}\n`);
  }

  writeFileSync(join(folder, 'settings.json'), '{"additional-handlers": {"Broken": "broken.cjs"}}');
  t.match(runOnce(command, folder, env), {
    code: 1,
    err: /additional-handlers: Broken: cannot load .*broken\.cjs/,
  });
  writeFileSync(join(folder, 'broken.cjs'), 'exports.handler = { type: "Broken" };');
  t.match(runOnce(command, folder, env), { code: 1, err: /additional-handlers: Broken: .*broken\.cjs/ });
});

t.test('a profile is written when it ends', async (t) => {
  const { folder, env } = scene(t);
  const command = [taba, 'server', '--port', '0', '--store', 'memory', '--profile', 'run.cpuprofile'];
  const server = await Daemon.start(t, command, folder, env);
  t.same(await server.stop(), { code: 0, signal: null });
  t.ok(readdirSync(folder).includes('run.cpuprofile'));
});

import t from 'tap';
import { parse } from '../../src/cli/parse.js';
import { resolveSettings } from '../../src/cli/settings/resolve.js';
import type { SettingValues } from '../../src/cli/settings/table.js';
import { type WorkerCommand, workerCommand } from '../../src/cli/worker-arguments.js';
import { availableMemoryBytes } from '../../src/runtime/live-memory.js';

interface Made extends WorkerCommand {
  /** What the worker makes of it. */
  readonly settings: SettingValues;
}

function made(
  line: readonly string[],
  worker: number,
  portBefore = 0,
  parentEnv: NodeJS.ProcessEnv = {},
): Made {
  const { flags, settings } = read(line, parentEnv);
  const command = workerCommand({ flags, env: parentEnv, settings, worker, portBefore });
  return { ...command, settings: read(command.args.slice(1), command.env).settings };
}

function read(line: readonly string[], env: NodeJS.ProcessEnv) {
  const parsed = parse(['server', ...line], 100);
  if (typeof parsed === 'string') throw new Error(parsed);
  const { flags } = parsed.args;
  return { flags, settings: resolveSettings('server', { flags, env, folder: '/base' }).values };
}

const redis = ['--redis', 'redis://127.0.0.1:6379', '--workers', '3'];

t.test('workers count up from port and advertised port', (t) => {
  const { settings, env } = made([...redis, '--port', '8400', '--advertise', '[::1]:9400'], 2);
  t.equal(settings.workers, 1);
  t.equal(settings.port, 8402);
  t.equal(settings.advertise, '[::1]:9402');
  t.equal(settings.redis, 'redis://127.0.0.1:6379');
  t.equal(env.TABA_WORKER, '2');
  t.end();
});

t.test('with port 0 each gets one of its own, and keeps it', (t) => {
  t.equal(made([...redis, '--port', '0'], 1).settings.port, 0);
  t.equal(made([...redis, '--port', '0'], 1, 40_123).settings.port, 40_123);
  t.end();
});

t.test('everything else is what the parent has, whatever it was written as', (t) => {
  const sharded = [
    '--sentinel=a:1,b:2',
    '--shard',
    'one:0-499',
    '--shard',
    'two:500-999',
    '--no-self-instrument',
  ];
  const denied = ['--name-denylist=-x,y', '--name-denylist', 'z'];
  const line = [...sharded, ...denied, '--workers=2', '--profile', '/p/cpu.cpuprofile', '--role', 'be'];
  const parentEnv = { TABA_MAX_TABS: '7', TABA_WORKERS: '9', TABA_PORT: '8500' };
  const { settings } = made(line, 1, 0, parentEnv);
  const parent = read(line, parentEnv).settings;
  t.same(settings, {
    ...parent,
    ...{ workers: 1, port: 8501, profile: '/p/cpu.cpuprofile.1', 'max-memory': settings['max-memory'] },
  });
  t.equal(settings['self-instrument'], false);
  t.same(settings['name-denylist'], ['-x,y', 'z']);
  t.end();
});

t.test('the workers share max-memory', (t) => {
  t.equal(made([...redis, '--max-memory', '3GiB'], 0).settings['max-memory'], 2 ** 30);
  t.equal(
    made([...redis, '--max-memory', '64MiB'], 0).settings['max-memory'],
    64 * 2 ** 20,
    'the least there is',
  );
  const each = made(['--redis=redis://h', '--workers=200'], 0).settings['max-memory'] ?? 0;
  t.ok(each * 100 < availableMemoryBytes(), 'also of what is used unless told');
  t.end();
});

t.test('secrets do not stand on the command line of a worker', (t) => {
  const { args, settings } = made([...redis, '--redis-password', 'topsecret'], 0);
  t.notMatch(args.join(' '), /topsecret/);
  t.equal(settings['redis-password'], 'topsecret');
  const inUrl = made(['--redis=redis://u:topsecret@h', '--workers=2'], 0);
  t.notMatch(inUrl.args.join(' '), /topsecret/);
  t.equal(inUrl.settings.redis, 'redis://u:topsecret@h');
  t.end();
});

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { startRedis } from '../../scripts/redis/redis-process.js';
import { folder, json, post, until } from '../system/kit.js';
import { startDaemon } from './daemon-process.js';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

t.test(
  'SIGHUP takes mapping rules over while an agent runs; rules that are wrong change nothing',
  async (t) => {
    const file = join(folder(t), 'agent.json');
    const write = (mapping: unknown): void =>
      writeFileSync(file, JSON.stringify({ 'statsd-port': 0, mapping }));
    write([]);
    const flags = [
      '--config',
      file,
      '--port',
      '0',
      '--drain-deadline',
      '0',
      '--server',
      'http://127.0.0.1:9',
      '--log-format',
      'json',
    ];
    const daemon = startDaemon(t, main, ['agent', ...flags]);
    const { agent } = (await daemon.event('ready')) as unknown as { agent: string };
    const status = async () => (await json(`${agent}/status`)).json;
    const { port } = (await status()).statsd;
    const send = (line: string): void => {
      connect(port, '127.0.0.1').end(line);
    };
    send('noise:1|c\n');
    await until('the first event', async () => (await status()).books.received >= 1);
    t.same((await status()).books.dropped, {});

    write([{ match: 'noise', drop: true }]);
    daemon.kill('SIGHUP');
    t.match(await daemon.event('settings_reloaded'), { taken: ['mapping'] });
    send('noise:1|c\n');
    await until('the second event', async () => (await status()).books.dropped.mapping === 1);

    write([{ match: 'noise', type: 'Nonsense' }]);
    daemon.kill('SIGHUP');
    t.match(await daemon.event('settings_refused'), {
      error: /mapping: rule 1: type: there is no "Nonsense"/,
    });
    send('noise:1|c\n');
    await until('the third event', async () => (await status()).books.dropped.mapping === 2);
    daemon.kill('SIGTERM');
    await daemon.ended;
  },
);

t.test('SIGHUP to the parent of workers is for all of them', async (t) => {
  const { url, stop } = await startRedis();
  t.teardown(stop);
  const file = join(folder(t), 'server.json');
  const write = (mapping: unknown): void => writeFileSync(file, JSON.stringify({ redis: url, mapping }));
  write([]);
  const flags = ['--workers', '2', '--port', '0', '--buckets', '4', '--log-format', 'json'];
  const daemon = startDaemon(t, main, ['server', '--config', file, ...flags, '--no-self-instrument']);
  const servers = (await daemon.event('ready')).servers as readonly string[];
  const gauge = { name: 'noise', gauge: { dataPoints: [{ asInt: '1' }] } };
  const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] });
  const dropped = (): Promise<number[]> =>
    Promise.all(
      servers.map(async (server) => {
        await post(`${server}/v1/metrics`, body, { 'content-type': 'application/json' });
        return (await json(`${server}/status`)).json.books.dropped.mapping ?? 0;
      }),
    );
  t.same(await dropped(), [0, 0]);

  write([{ match: 'noise', drop: true }]);
  daemon.kill('SIGHUP');
  const said = new Map<unknown, string>();
  while (said.size < 3) {
    const { worker = 'parent', event } = await daemon.next((line) => line.event.startsWith('settings_'));
    said.set(worker, event);
  }
  t.same(Object.fromEntries(said), {
    parent: 'settings_passed_on',
    0: 'settings_reloaded',
    1: 'settings_reloaded',
  });
  t.same(await dropped(), [1, 1]);

  write([{ match: 'noise', type: 'Nonsense' }]);
  daemon.kill('SIGHUP');
  const refused = await daemon.event('settings_refused');
  t.match(refused, { error: /mapping: rule 1: type: there is no "Nonsense"/ });
  t.equal(refused.worker, undefined, 'said once, by the parent');
  t.same(await dropped(), [2, 2]);
  daemon.kill('SIGTERM');
  t.same(await daemon.ended, [0, null]);
});

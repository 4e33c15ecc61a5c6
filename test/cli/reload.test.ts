import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { folder, json, until } from '../system/kit.js';
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

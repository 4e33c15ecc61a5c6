import t from 'tap';
import type { Log } from '../../src/runtime/log.js';
import { createLog } from '../../src/runtime/pino-log.js';
import { throttled } from '../../src/runtime/throttled-log.js';
import { FakeClock } from '../support/fake-clock.js';

function gather(format: 'json' | 'pretty', level: 'debug' | 'warn' = 'debug'): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level, format, colours: false, write: (line) => lines.push(line) }), lines };
}

t.test('one JSON object a line, with the fields of the logs above', async (t) => {
  const { log, lines } = gather('json');
  log.with({ role: 'agent' }).info('ready', { port: 1 });
  t.match(JSON.parse(lines[0]!), { level: 'info', event: 'ready', role: 'agent', port: 1, time: Number });
});

t.test('lines below the level are not written', async (t) => {
  const { log, lines } = gather('json', 'warn');
  log.info('quiet');
  log.error('loud');
  t.equal(lines.length, 1);
});

t.test('secrets stay secret, wherever they stand', async (t) => {
  const { log, lines } = gather('json');
  log.warn('x', {
    redisPassword: 'geheim1',
    nested: { headers: { authorization: 'geheim2' } },
    url: 'redis://user:geh@eim3@host:1/',
    error: new Error('cannot reach rediss://:geheim4@host'),
  });
  t.notMatch(lines[0], /eim\d/);
  t.match(lines[0], /redis:\/\/\*\*\*@host:1/);
});

t.test('pretty lines are for people', async (t) => {
  const { log, lines } = gather('pretty');
  log.warn('flush_slow', { tookMs: 812, hint: 'two words' });
  t.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} warn {2}flush_slow tookMs=812 hint="two words"\n$/);
  log.error('broken', { error: new Error('why') });
  t.match(lines[1], /error broken error=why\n {4}Error: why\n {4} +at /);
});

t.test('a throttled log says how many it suppressed', async (t) => {
  const { log, lines } = gather('json');
  const clock = new FakeClock();
  const quiet = throttled(log, { clock, everyMs: 1000 });
  for (let count = 0; count < 5; count++) quiet.warn('bad_line', { count });
  quiet.warn('another');
  clock.advance(1000);
  quiet.with({ peer: 'p' }).warn('bad_line');
  t.match(
    lines.map((line) => JSON.parse(line) as object),
    [{ event: 'bad_line', count: 0 }, { event: 'another' }, { event: 'bad_line', suppressed: 4, peer: 'p' }],
  );
});

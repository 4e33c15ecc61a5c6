import t from 'tap';
import { type EndPoint, EndPointList, parseServerUrl } from '../../../src/agent/forward/endpoints.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RecordingLog } from '../recording-log.js';

function listOf(servers: readonly string[], names: Map<string, readonly string[] | Error>) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const seen: (readonly EndPoint[])[] = [];
  const list = new EndPointList({
    servers,
    refreshMs: 30_000,
    clock,
    log,
    resolve: async (host) => {
      const found = names.get(host);
      if (found === undefined) return [host];
      if (found instanceof Error) throw found;
      return found;
    },
    changed: (endPoints) => seen.push(endPoints),
  });
  const turn = async (): Promise<void> => {
    clock.advance(30_000);
    await new Promise(setImmediate);
  };
  return { list, seen, log, turn };
}

t.test('every address behind a name is an end-point, and the same one is listed once', async (t) => {
  const names = new Map([['cluster', ['10.0.0.2', '10.0.0.1', 'fd00::1']]]);
  const { list, seen } = listOf(['http://cluster:8300', 'http://10.0.0.1:8300', 'http://[fd00::2]:9'], names);
  await list.start();
  t.same(
    seen.at(-1)!.map(({ id, url, address }) => [id, url, address]),
    [
      ['10.0.0.1:8300', 'ws://cluster:8300/v2', '10.0.0.1'],
      ['10.0.0.2:8300', 'ws://cluster:8300/v2', '10.0.0.2'],
      ['[fd00::1]:8300', 'ws://cluster:8300/v2', 'fd00::1'],
      ['[fd00::2]:9', 'ws://[fd00::2]:9/v2', 'fd00::2'],
    ],
  );
  list.stop();
});

t.test('an address that another name takes over is reached by that name from then on', async (t) => {
  const names = new Map([
    ['a', ['10.0.0.1']],
    ['b', ['10.0.0.1']],
  ]);
  const { list, seen, turn } = listOf(['https://a', 'https://b'], names);
  await list.start();
  names.set('a', ['10.0.0.2']);
  await turn();
  t.same(
    seen.map((endPoints) => endPoints.map(({ id, url }) => [id, url])),
    [
      [['10.0.0.1:443', 'wss://a:443/v2']],
      [
        ['10.0.0.1:443', 'wss://b:443/v2'],
        ['10.0.0.2:443', 'wss://a:443/v2'],
      ],
    ],
  );
  list.stop();
});

t.test('addresses come and go; what has not changed is not reported', async (t) => {
  const names = new Map([['cluster', ['10.0.0.1']]]);
  const { list, seen, turn } = listOf(['http://cluster'], names);
  await list.start();
  await turn();
  t.equal(seen.length, 1);
  names.set('cluster', ['10.0.0.3']);
  await turn();
  t.same(
    seen.map((endPoints) => endPoints.map(({ id }) => id)),
    [['10.0.0.1:80'], ['10.0.0.3:80']],
  );
  list.stop();
});

t.test('a name server that is down does not take the addresses along', async (t) => {
  const names = new Map<string, readonly string[] | Error>([['cluster', ['10.0.0.1']]]);
  const { list, seen, log, turn } = listOf(['http://cluster:1'], names);
  await list.start();
  names.set('cluster', new Error('ENOTFOUND cluster'));
  await turn();
  await turn();
  t.equal(seen.length, 1);
  t.equal(list.current.length, 1);
  t.match(list.lastError, /ENOTFOUND/);
  t.equal(log.count('server_name_unresolved'), 1, 'said once, not every 30 s');
  names.set('cluster', []);
  await turn();
  t.equal(list.current.length, 1, 'no answer is no reason to drop what works');
  names.set('cluster', ['10.0.0.1']);
  await turn();
  t.equal(list.lastError, undefined);
  list.stop();
});

t.test('nothing is resolved any more after stop', async (t) => {
  const names = new Map([['cluster', ['10.0.0.1']]]);
  const { list, seen, turn } = listOf(['http://cluster'], names);
  await list.start();
  list.stop();
  names.set('cluster', ['10.0.0.9']);
  await turn();
  t.equal(seen.length, 1);
});

t.test('a wrong server setting is refused with its value', async (t) => {
  t.equal(parseServerUrl('http://host:8300').port, '8300');
  for (const text of ['host:8300', 'ftp://host', 'http://', 'http://host:8300/path', 'http://host?x=1', '']) {
    t.throws(() => parseServerUrl(text), { code: 'bad_setting', message: JSON.stringify(text) }, text);
  }
});

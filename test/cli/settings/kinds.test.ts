import t from 'tap';
import {
  bytes,
  choice,
  duration,
  flag,
  hostAndPort,
  integer,
  type Kind,
  list,
  namedPaths,
  nodeUrl,
  path,
  port,
  redact,
  roles,
  secret,
  text,
} from '../../../src/cli/settings/kinds.js';

function read<T>(kind: Kind<T>, ...texts: string[]): T | undefined {
  return kind.fromTexts(texts, '/base');
}

function json<T>(kind: Kind<T>, value: unknown): T | undefined {
  return kind.fromJson(value, '/base');
}

t.test('numbers are whole, within their range, and never coerced', (t) => {
  const kind = integer(1, 100);
  t.equal(read(kind, '1'), 1);
  t.equal(read(kind, '100'), 100);
  for (const wrong of ['0', '101', '', ' 5', '5 ', '5.0', '1e1', '0x10', '-1', '+1', '١', '5kg']) {
    t.equal(read(kind, wrong), undefined, JSON.stringify(wrong));
  }
  t.equal(json(kind, 7), 7);
  for (const wrong of ['7', true, null, [7], 7.5, 0, 1e300])
    t.equal(json(kind, wrong), undefined, JSON.stringify(wrong));
  t.equal(read(port, '0'), 0);
  t.equal(read(port, '65536'), undefined);
  t.end();
});

t.test('durations: plain milliseconds, or with a unit', (t) => {
  const kind = duration(10, 7 * 86_400_000);
  t.equal(read(kind, '250'), 250);
  t.equal(read(kind, '250ms'), 250);
  t.equal(read(kind, '10s'), 10_000);
  t.equal(read(kind, '5m'), 300_000);
  t.equal(read(kind, '48h'), 172_800_000);
  t.equal(read(kind, '7d'), 604_800_000);
  for (const wrong of ['9', '8d', '1.5s', '10 s', '10S', 's', ''])
    t.equal(read(kind, wrong), undefined, wrong);
  t.equal(json(kind, 250), 250);
  t.equal(json(kind, '10s'), 10_000);
  t.equal(json(kind, 250.5), undefined);
  t.equal(kind.show(90_000), '90s');
  t.equal(kind.show(604_800_000), '7d');
  t.equal(kind.show(250), '250ms');
  t.end();
});

t.test('sizes: plain bytes, or with a unit', (t) => {
  const kind = bytes(16, 2 ** 30);
  t.equal(read(kind, '1024'), 1024);
  t.equal(read(kind, '512KiB'), 2 ** 19);
  t.equal(read(kind, '64MiB'), 2 ** 26);
  t.equal(read(kind, '1GiB'), 2 ** 30);
  for (const wrong of ['15', '2GiB', '64MB', '64 MiB', '1.5MiB'])
    t.equal(read(kind, wrong), undefined, wrong);
  t.equal(json(kind, '64MiB'), 2 ** 26);
  t.equal(kind.show(2 ** 26), '64MiB');
  t.equal(kind.show(1000), '1000');
  t.end();
});

t.test('flags, choices and texts', (t) => {
  t.equal(read(flag, 'true'), true);
  t.equal(read(flag, 'false'), false);
  for (const wrong of ['yes', '1', 'TRUE', '']) t.equal(read(flag, wrong), undefined, wrong);
  t.equal(json(flag, 'true'), undefined, 'a JSON string is no boolean');
  t.equal(read(choice('json', 'pretty'), 'pretty'), 'pretty');
  t.equal(read(choice('json', 'pretty'), 'prety'), undefined);
  t.equal(read(text('X', 'a text'), 'a\u0000b'), undefined, 'no control characters');
  t.end();
});

t.test('addresses', (t) => {
  t.equal(read(nodeUrl, 'http://taba-0:8300'), 'http://taba-0:8300');
  t.equal(read(nodeUrl, 'http://taba-0:8300/'), 'http://taba-0:8300');
  t.equal(read(nodeUrl, 'localhost:8300'), 'http://localhost:8300');
  t.equal(read(nodeUrl, 'http://[::1]:8300'), 'http://[::1]:8300');
  for (const wrong of [
    '',
    'https://a:1',
    'http://',
    'http://a:1/path',
    'http://u:p@a:1',
    'http://a:99999',
    'a b:1',
    'ftp://a',
  ]) {
    t.equal(read(nodeUrl, wrong), undefined, wrong);
  }
  t.equal(read(hostAndPort, 'taba-0.taba:8300'), 'taba-0.taba:8300');
  for (const wrong of ['taba', 'taba:0', 'taba:70000', 'http://taba:1'])
    t.equal(read(hostAndPort, wrong), undefined, wrong);
  t.end();
});

t.test('lists: repeated, separated by commas, or a JSON array', (t) => {
  const urls = list(nodeUrl);
  t.same(read(urls, 'a:1,b:2', 'c:3'), ['http://a:1', 'http://b:2', 'http://c:3']);
  t.equal(read(urls, 'a:1,,b:2'), undefined, 'an empty item is a slip, not nothing');
  t.same(json(urls, ['a:1']), ['http://a:1']);
  t.equal(json(urls, 'a:1'), undefined);
  t.equal(json(urls, []), undefined);
  t.same(
    read(list(text('R', 'r'), 'none'), 'a{1,2}', 'b'),
    ['a{1,2}', 'b'],
    'commas belong to an expression',
  );
  t.same(read(roles, 'fe,be'), ['fe', 'be']);
  t.same(json(roles, 'fe,be'), ['fe', 'be'], 'as the first Taba writes it');
  t.equal(read(roles, 'fe,fe'), undefined);
  t.equal(read(roles, 'fe,db'), undefined);
  t.end();
});

t.test('paths begin at the folder they were written in', (t) => {
  t.equal(read(path('DIR'), 'data'), '/base/data');
  t.equal(read(path('DIR'), '/data'), '/data');
  t.equal(read(path('DIR'), ''), undefined);
  t.same(read(namedPaths, 'Mine=./mine.cjs,Other=/o.cjs'), { Mine: '/base/mine.cjs', Other: '/o.cjs' });
  t.same(json(namedPaths, { Mine: 'mine.cjs' }), { Mine: '/base/mine.cjs' });
  for (const wrong of ['Mine', '=x', 'Mine=', '9a=x', 'a-b=x'])
    t.equal(read(namedPaths, wrong), undefined, wrong);
  t.equal(json(namedPaths, { Mine: 1 }), undefined);
  t.end();
});

t.test('passwords stay out of messages', (t) => {
  t.equal(redact('redis://user:secret@host:6379'), 'redis://user:***@host:6379');
  t.equal(redact('redis://:secret@host'), 'redis://:***@host');
  t.equal(redact('http://host:8300'), 'http://host:8300');
  t.equal(redact('redis://user:p@ss/w:rd@host'), 'redis://user:***@host', 'also one that should be escaped');
  t.equal(secret('X').show('hidden'), '***');
  t.end();
});

import t from 'tap';
import { eventLine } from '../../../src/cli/record/event-line.js';

const plain = { type: 'CounterGroup' };

function json(line: string, defaults: Parameters<typeof eventLine>[1] = plain): string {
  const result = eventLine(line, defaults);
  if (result === undefined || 'fault' in result) throw new Error(`not an event: ${JSON.stringify(result)}`);
  return result.json;
}

t.test('NAME VALUE [TYPE] [SECONDS]', (t) => {
  t.equal(json('bids_won 1'), '{"name":"bids_won","type":"CounterGroup","value":1}');
  t.equal(json('  bids_won\t 2  Gauge '), '{"name":"bids_won","type":"Gauge","value":"2"}');
  t.equal(
    json('bids_won 2 TotalsCounter 1396980134.25'),
    '{"name":"bids_won","type":"TotalsCounter","value":2,"timestamp":1396980134.25}',
  );
  t.end();
});

t.test('values keep their digits, and texts stay texts', (t) => {
  t.match(json('price 1.10'), '"value":1.10}');
  t.match(json('price 0.30000000000000004'), '"value":0.30000000000000004}');
  t.match(json('price -1e-7'), '"value":-1e-7}');
  t.match(json('version 1.10 Gauge'), '"value":"1.10"}');
  t.match(json('user 007 UniqueCounter'), '"value":"007"}');
  for (const text of ['0x1F', '007', '+1', '.5', '1.', 'NaN', 'Infinity', '1,5']) {
    t.equal(
      JSON.parse(json(`price ${text}`)).value,
      text,
      `${text} is not a JSON number: the server judges it`,
    );
  }
  t.end();
});

t.test('what the command line says fills in what the line leaves open', (t) => {
  const defaults = { type: 'Gauge', client: 'host "1"', timestamp: '12', expiry: '60' };
  t.same(JSON.parse(json('state up', defaults)), {
    name: 'state',
    type: 'Gauge',
    value: 'up',
    client: 'host "1"',
    timestamp: 12,
    expiry: 60,
  });
  t.same(JSON.parse(json('{"name":"n","value":1,"type":"TotalsCounter","timestamp":5}', defaults)), {
    name: 'n',
    value: 1,
    type: 'TotalsCounter',
    timestamp: 5,
    client: 'host "1"',
    expiry: 60,
  });
  const line = '{"name":"n","type":"CounterGroup","value":1.10}';
  t.equal(json(line), line, 'a complete event goes out byte for byte');
  t.same(JSON.parse(json('{}')), { type: 'CounterGroup' });
  t.same(JSON.parse(json('{"constructor":1}')), { type: 'CounterGroup', constructor: 1 });
  t.end();
});

t.test('blank lines and comments are nothing', (t) => {
  for (const line of ['', '   ', '\t', '# a comment']) t.equal(eventLine(line, plain), undefined);
  t.end();
});

t.test('what is no event says why', (t) => {
  t.match(eventLine('bids_won', plain), { fault: /a value is missing/ });
  t.match(eventLine('a 1 CounterGroup 5 6', plain), { fault: /5 fields, at most 4/ });
  t.match(eventLine('a 1 CounterGroup soon', plain), {
    fault: /timestamp "soon" is not a number of seconds/,
  });
  t.match(eventLine('{"name": }', plain), { fault: /not JSON/ });
  t.match(eventLine('{"name":"a"}', { ...plain, expiry: 'x' }), { fault: /expiry "x"/ });
  t.end();
});

import { deflateSync } from 'node:zlib';
import t from 'tap';
import { ask, type Entrance, handedOver, json, post, SetClock, throughBoth } from './kit.js';

// A whole day, so that the events below all lie in one minute of it.
const nowSec = 1_700_006_400;

/** Two clients, the second without any of the blank lines at the end; numbers bare and in brackets, times whole and not. */
const body = [
  '1',
  '',
  'web-1',
  '',
  'winning_bid_price',
  `["CounterGroup", ${nowSec - 2}.25, "1.5"]`,
  `["CounterGroup", ${nowSec - 1}, "[2.5]"]`,
  '',
  'uptime',
  `["ExpiryGauge", ${nowSec}, "[\\"up\\", ${nowSec + 60}]"]`,
  '',
  'version',
  `["Gauge", ${nowSec}, "\\"1.2.0\\""]`,
  '',
  '',
  'web-2',
  '',
  'winning_bid_price',
  `["CounterGroup", ${nowSec}, "4"]`,
  '',
  'losing_bid_price',
  `["CounterGroup", ${nowSec}, "8"]`,
  '',
  'bids',
  `["TotalsCounter", ${nowSec}, "7"]`,
].join('\n');

const events = 7;
const options = () => ({ server: { clock: new SetClock() }, agent: { clock: new SetClock() } });

async function send(entrance: Entrance, path: string, bytes: string | Uint8Array): Promise<void> {
  const answer = await post(`${entrance.url}${path}`, bytes);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  await handedOver(entrance);
}

const threeText = `{
    "1m": {"count": 3, "total": 8.00},
    "10m": {"count": 3, "total": 8.00},
    "1h": {"count": 3, "total": 8.00},
    "1d": {"count": 3, "total": 8.00},
    "pct": [1.50, 2.50, 4.00, 4.00, 4.00, 4.00, 4.00]}
`;

function counterJson(count: number, total: number, pct: readonly number[]) {
  const window = { count, total, average: total / count };
  return { '1m': window, '10m': window, '1h': window, '1d': window, pct: { count, total, pct } };
}

for (const path of ['/post', '/post_zip']) {
  t.test(`a body written by hand to ${path}`, (t) =>
    throughBoth(t, options, async (t, entrance) => {
      const { server, agent } = entrance;
      await send(entrance, path, path === '/post_zip' ? deflateSync(body) : body);
      const at = server.url;

      await t.test('as text', async (t) => {
        const text = async (query: string) => {
          const answer = await ask(`${at}${query}`);
          t.match(answer.headers.get('content-type'), /^text\/plain/, query);
          return answer.text;
        };
        t.equal(await text('/tabs?name=winning_bid_price'), `winning_bid_price: ${threeText}`);
        t.equal(await text('/supertabs?name=winning_bid_price'), threeText);
        t.equal(await text('/tabs?name=bids'), 'bids: {"count": 1, "total": 7.00, "average": 7.00}\n');
        t.equal(
          await text('/projection?name=version,bids'),
          '(bids, web-2): {"count": 1, "total": 7.00, "average": 7.00}\n(version, web-1): {\n    "1.2.0": 1}\n',
        );
        t.equal(
          await text('/tabs?re=true&name=up|vers'),
          'uptime: {\n    "up": 1}\nversion: {\n    "1.2.0": 1}\n',
        );
        t.equal(await text('/names'), 'bids\nlosing_bid_price\nuptime\nversion\nwinning_bid_price\n');
        t.equal(await text('/names?client=web-2'), 'bids\nlosing_bid_price\nwinning_bid_price\n');
        t.equal(await text('/clients'), 'web-1\nweb-2\n');
        t.equal(await text('/types?name=bids'), 'bids: TotalsCounter\n');
      });

      await t.test('as JSON', async (t) => {
        const both = counterJson(3, 8, [1.5, 2.5, 4, 4, 4, 4, 4]);
        const first = counterJson(2, 4, [1.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5]);
        const four = counterJson(1, 4, Array(7).fill(4));
        const eight = counterJson(1, 8, Array(7).fill(8));
        const bids = { count: 1, total: 7, average: 7 };
        const questions: [string, unknown][] = [
          ['/tabs?name=winning_bid_price', { winning_bid_price: both }],
          ['/tabs?name=winning_bid_price&client=web-1', { winning_bid_price: first }],
          ['/tabs?re=1&name=win&client=web-1', { winning_bid_price: first }],
          ['/tabs?re=1&client=.*2', { bids, losing_bid_price: eight, winning_bid_price: four }],
          [
            '/projection?name=winning_bid_price',
            {
              'web-1': { winning_bid_price: first },
              'web-2': { winning_bid_price: four },
            },
          ],
          [
            '/projection?client=web-2',
            { 'web-2': { bids, losing_bid_price: eight, winning_bid_price: four } },
          ],
          ['/projection?re=1&name=version', { 'web-1': { version: { '1.2.0': 1 } } }],
          ['/supertabs?re=1&name=.*_bid_price', counterJson(4, 16, [2.5, 4, 8, 8, 8, 8, 8])],
          [
            '/supertabs?name=losing_bid_price,winning_bid_price&client=web-2',
            counterJson(2, 12, [4, 8, 8, 8, 8, 8, 8]),
          ],
          ['/tabs?name=uptime', { uptime: { up: 1 } }],
          ['/names', ['bids', 'losing_bid_price', 'uptime', 'version', 'winning_bid_price']],
          ['/names?re=1&name=.*bid', ['bids', 'losing_bid_price', 'winning_bid_price']],
          ['/clients', ['web-1', 'web-2']],
          ['/clients?re=1&client=web-1', ['web-1']],
          ['/clients?name=version', ['web-1']],
          ['/types?re=1&name=u|v', { uptime: 'ExpiryGauge', version: 'Gauge' }],
        ];
        for (const [query, expected] of questions)
          t.strictSame((await json(`${at}${query}`)).json, expected, query);
      });

      const { books } = server.status();
      t.match(books, { received: events, applied: events, rejected: {}, dropped: {} });
      if (agent !== undefined) t.match(agent.status().books, { received: events, delivered: events });
    }),
  );
}

t.test('the answer to a body says how many events it accepted', (t) =>
  throughBoth(t, options, async (t, { url }) => {
    const answer = await post(`${url}/post`, body);
    t.equal(answer.status, 200);
    t.strictSame(answer.json, { accepted: events, rejected: [] });
  }),
);

t.test('the same body again counts again', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    await send(entrance, '/post', body);
    await send(entrance, '/post_zip', deflateSync(body));
    const { json: tabs } = await json(`${entrance.server.url}/tabs?name=bids`);
    t.strictSame(tabs, { bids: { count: 2, total: 14, average: 7 } });
  }),
);

t.test('events as JSON for people with curl', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const one = { name: 'bids', value: 1, type: 'TotalsCounter', client: 'c' };
    for (const text of [
      JSON.stringify(one),
      JSON.stringify([one, one]),
      `${JSON.stringify(one)}\n${JSON.stringify(one)}\n`,
    ])
      await send(entrance, '/events', text);
    await send(entrance, '/events', '{"name":"default","value":3}');
    const { json: tabs } = await json(`${entrance.server.url}/tabs?name=bids`);
    t.strictSame(tabs, { bids: { count: 5, total: 5, average: 1 } });
    t.strictSame((await json(`${entrance.server.url}/types?name=default`)).json, { default: 'CounterGroup' });
    const host = entrance.agent === undefined ? 'server-host' : 'host';
    t.strictSame(
      (await json(`${entrance.server.url}/clients?name=default`)).json,
      [host],
      'the client is this host',
    );
  }),
);

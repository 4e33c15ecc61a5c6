/** What the first Taba's clients and agents put on the wire, byte by byte: their headers, their numbers, their habits. */
import { connect, type Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { handedOver, json, SetClock, throughBoth, v1 } from './kit.js';

const nowSec = 1_700_006_400;
const options = () => ({ server: { clock: new SetClock() }, agent: { clock: new SetClock() } });

/** A connection as those clients hold it: header and body in packets of their own, one request after another. */
class KeptConnection {
  readonly #socket: Socket;
  #received = '';
  #ended = false;

  constructor(t: Test, url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname).setNoDelay(true);
    this.#socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1');
    });
    this.#socket.on('close', () => {
      this.#ended = true;
    });
    t.teardown(() => this.#socket.destroy());
  }

  send(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.write(text, (error) => (error == null ? resolve() : reject(error))),
    );
  }

  /** The next answer's status line, once the whole answer is there. */
  async status(): Promise<string> {
    const answer = await this.#next(/^HTTP\/1\.1 (?<status>[^\r]*)\r\n(?:[^\r]+\r\n)*\r\n/);
    const length = Number(/content-length: (\d+)/i.exec(answer[0])?.[1] ?? 0);
    await this.#next(new RegExp(`^[\\s\\S]{${length}}`));
    return answer.groups!.status!;
  }

  async closed(): Promise<void> {
    while (!this.#ended) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Takes what `pattern` matches off the beginning of what came in, and waits for it before. */
  async #next(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match;
      }
      if (this.#ended) throw new Error(`the connection ended behind ${JSON.stringify(this.#received)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function request(path: string, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** As Python's cjson writes it: a blank behind every comma, `/` escaped, floats as `repr` gives them. */
const pythonBody = v1({
  'web-1.example.com': {
    winning_bid_price: [
      `["PercentileGroup", ${nowSec - 3}.1200001, "1.3700000000000001"]`,
      `["PercentileGroup", ${nowSec - 2}.9400001, "1e-05"]`,
    ],
    bytes: [`["CounterGroup", ${nowSec - 1}.0, "2.5e+16"]`],
    bids: [
      `["CounterGroup", ${nowSec - 1}.26, "1"]`,
      `["CounterGroup", ${nowSec - 1}.26, "[1]"]`,
      `["CounterGroup", ${nowSec - 1}.26, "NaN"]`,
      `["CounterGroup", ${nowSec - 1}.26, "1.0"]`,
    ],
    build: [`["Gauge", ${nowSec}.5, "\\"releases\\\\/1.2\\""]`],
    host: [`["ExpiryGauge", ${nowSec}.5, "[\\"up\\", ${nowSec + 60}.75]"]`],
  },
});

/** As Java's Jackson writes it: no blanks, whole seconds, `E` in its doubles, NaN as a text. */
const javaBody = v1({
  'bidder-7': {
    winning_bid_price: [
      `["PercentileGroup",${nowSec - 3},"1.37"]`,
      `["PercentileGroup",${nowSec - 2},"1.0E-5"]`,
    ],
    bytes: [`["CounterGroup",${nowSec - 1},"2.5E16"]`],
    bids: [
      `["CounterGroup",${nowSec - 1},"1"]`,
      `["CounterGroup",${nowSec - 1},"1.0"]`,
      `["CounterGroup",${nowSec - 1},"1E+0"]`,
      `["CounterGroup",${nowSec - 1},"\\"NaN\\""]`,
    ],
    build: [`["Gauge",${nowSec},"\\"releases/1.2\\""]`],
    host: [`["ExpiryGauge",${nowSec},"[\\"up\\",${nowSec + 60}]"]`],
  },
});

const python = { Accept: '*/*', 'User-Agent': 'python-requests/2.2.1 CPython/2.7.6 Linux/3.13.0' };
const habits = [
  {
    who: 'the Python client',
    headers: { ...python, 'Accept-Encoding': 'gzip, deflate, compress' },
    body: pythonBody,
  },
  {
    who: 'the Python client before requests 1.0, which called every body a form',
    headers: { ...python, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: pythonBody,
  },
  {
    who: 'the Java client, which calls it JSON',
    headers: {
      'Content-Type': 'application/json',
      Connection: 'Keep-Alive',
      'User-Agent': 'Apache-HttpClient/4.3.1 (java 1.5)',
      'Accept-Encoding': 'gzip,deflate',
    },
    body: javaBody,
  },
];

for (const { who, headers, body } of habits) {
  t.test(who, (t) =>
    throughBoth(t, options, async (t, entrance) => {
      const { host } = new URL(entrance.url);
      const connection = new KeptConnection(t, entrance.url);
      for (let flush = 0; flush < 2; flush++) {
        await connection.send(request('/post', { Host: host, ...headers, 'Content-Length': body.length }));
        await connection.send(body);
        t.equal(await connection.status(), '200 OK');
      }
      await handedOver(entrance);
      const { json: tabs } = await json(
        `${entrance.server.url}/tabs?name=winning_bid_price,bytes,bids,build,host`,
      );
      t.match(tabs.winning_bid_price['1m'], { count: 4, total: 2 * (1.37 + 1e-5) });
      t.match(tabs.bytes['1m'], { count: 2, total: 5e16 });
      t.match(tabs.bids['1m'], { count: 6, total: 6 });
      t.same(tabs.build, { 'releases/1.2': 1 });
      t.same(tabs.host, { up: 1 });
      const { books } = (entrance.agent ?? entrance.server).status();
      const refused = Object.values(books.rejected).reduce((sum, events) => sum + events, 0);
      t.same([books.received, refused], [18, 2], 'NaN is refused, by itself');
    }),
  );
}

t.test('the first Python client, which opens a connection for each flush', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { host } = new URL(entrance.url);
    const connection = new KeptConnection(t, entrance.url);
    const headers = {
      'Accept-Encoding': 'identity',
      'Content-Length': javaBody.length,
      Host: host,
      'Content-Type': 'application/x-www-form-urlencoded',
      Connection: 'close',
      'User-Agent': 'Python-urllib/2.7',
    };
    await connection.send(request('/post', headers));
    await connection.send(javaBody);
    t.equal(await connection.status(), '200 OK');
    await connection.closed();
  }),
);

t.test('the first agent: several clients in one body, packed', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { host } = new URL(entrance.url);
    const clients = ['web-1', 'web-2', 'web-3'];
    const one = { bids: [`["CounterGroup", ${nowSec - 1}.26, "2"]`] };
    const body = deflateSync(v1(Object.fromEntries(clients.map((client) => [client, one]))), { level: 1 });
    const connection = new KeptConnection(t, entrance.url);
    await connection.send(request('/post_zip', { Host: host, ...python, 'Content-Length': body.length }));
    await connection.send(body);
    t.equal(await connection.status(), '200 OK');
    await handedOver(entrance);
    const { json: byClient } = await json(`${entrance.server.url}/projection?name=bids`);
    t.same(Object.keys(byClient), clients);
    t.match(byClient['web-2'].bids['1m'], { count: 1, total: 2 });
  }),
);

t.test('a client that asks before it sends, and one that sends in chunks', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { host } = new URL(entrance.url);
    const body = v1({ 'web-1': { bids: [`["CounterGroup", ${nowSec - 1}, "2"]`] } });

    const asks = new KeptConnection(t, entrance.url);
    const expecting = { Host: host, Expect: '100-continue', 'Content-Length': body.length };
    await asks.send(request('/post', expecting));
    t.equal(await asks.status(), '100 Continue');
    await asks.send(body);
    t.equal(await asks.status(), '200 OK');

    const chunked = new KeptConnection(t, entrance.url);
    await chunked.send(request('/post', { Host: host, 'Transfer-Encoding': 'chunked' }));
    for (const part of [body.slice(0, 20), body.slice(20)]) {
      await chunked.send(`${part.length.toString(16)}\r\n${part}\r\n`);
    }
    await chunked.send('0\r\n\r\n');
    t.equal(await chunked.status(), '200 OK');

    await handedOver(entrance);
    const { json: tabs } = await json(`${entrance.server.url}/tabs?name=bids`);
    t.match(tabs.bids['1m'], { count: 2, total: 4 });
  }),
);

import t from 'tap';
import { agentOf, post, until } from './agent-kit.js';
import { realServer } from './real-server.js';
import { folderOf } from './spool/kit.js';

const one = (name: string): string => JSON.stringify({ name, value: 1, client: 'c' });

t.test('the mirror gets a copy of everything, with books of its own', async (t) => {
  const [server, copy] = [await realServer(t), await realServer(t, 0, 4)];
  const { agent } = await agentOf(t, { servers: [server.url], mirror: [copy.url] });
  for (let count = 0; count < 20; count++) await post(`${agent.url}/events`, one(`tab${count % 3}`));
  await until('delivery', () => {
    const { books, mirror } = agent.status();
    return books.delivered === 20 && mirror?.books.delivered === 20;
  });
  t.same(copy.counts, server.counts);
  t.match(agent.status().mirror, {
    bucket_count: 4,
    books: { received: 20, balance: 0 },
    servers: [{ state: 'up' }],
  });
});

t.test('a mirror that is away or full changes nothing for the first cluster', async (t) => {
  const server = await realServer(t);
  const { agent } = await agentOf(t, {
    servers: [server.url],
    mirror: ['http://127.0.0.1:9'],
    maxBufferedPairs: 5,
  });
  for (let count = 0; count < 20; count++) {
    t.equal((await post(`${agent.url}/events`, one(`tab${count}`))).status, 200);
    await until('delivery', () => agent.status().books.delivered === count + 1);
  }
  const { books, mirror, accepting } = agent.status();
  t.ok(accepting);
  t.match(books, { received: 20, delivered: 20, dropped: {}, balance: 0 });
  t.match(mirror!.books, { received: 20, buffered: 5, dropped: { mirror_full: 15 }, balance: 0 });
});

t.test('the mirror has a spool of its own', async (t) => {
  const spoolFolder = folderOf(t);
  const server = await realServer(t);
  const first = await agentOf(t, { spoolFolder, servers: [server.url], mirror: ['http://127.0.0.1:9'] });
  await post(`${first.agent.url}/events`, one('a'));
  await until('delivery', () => first.agent.status().books.delivered === 1);
  await first.agent.close(0);
  const copy = await realServer(t);
  const { agent } = await agentOf(t, { spoolFolder, servers: [server.url], mirror: [copy.url] });
  await until('delivery', () => agent.status().mirror?.books.delivered === 1);
  t.same(copy.counts, new Map([['a c', 1]]));
  t.same(server.counts, new Map([['a c', 1]]));
});

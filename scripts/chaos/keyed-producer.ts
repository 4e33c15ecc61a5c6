/**
 * A producer process that posts bodies straight to a server and repeats each under its Idempotency-Key until it is
 * answered 200: the raw path, made exact.
 */
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Ledger, nextEvent, type ProducerOrder, type ProducerReport } from './load.js';
import { SeededRandom } from './random.js';

const order = JSON.parse(process.argv[2] ?? '') as ProducerOrder;
const random = new SeededRandom(order.seed);
const ledger: Ledger = new Map();
const bodyPeriodMs = 200;
const eventsPerBody = Math.max(1, Math.floor((order.eventsPerSec * bodyPeriodMs) / 1000));
let stopping = false;
let events = 0;
process.on('message', (message) => {
  if (message === 'stop') stopping = true;
});

function post(body: string, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${order.url}/events`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        timeout: 10_000,
        agent: false,
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
        answer.on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer within 10 s')));
    call.on('error', reject);
    call.end(body);
  });
}

while (!stopping) {
  const items = Array.from({ length: eventsPerBody }, () => {
    const { tab, type, value } = nextEvent(random, order.tabs, ledger);
    return { name: tab, type, value, client: order.client, timestamp: Date.now() / 1000 };
  });
  events += items.length;
  const body = JSON.stringify(items);
  const key = randomUUID();
  for (;;) {
    const status = await post(body, key).catch(() => 0);
    if (status === 200) break;
    if (status >= 400 && status < 500) throw new Error(`the server refuses a good body: ${status}`);
    await pause(200);
  }
  await pause(bodyPeriodMs);
}
const report: ProducerReport = { client: order.client, events, lost: 0, ledger: [...ledger] };
process.send!(report, () => process.disconnect());

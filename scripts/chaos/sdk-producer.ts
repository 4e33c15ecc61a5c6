/** A producer process that records through the SDK, and reports when the agent has taken everything over. */
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '../../src/client/index.js';
import { type Ledger, nextEvent, type ProducerOrder, type ProducerReport } from './load.js';
import { SeededRandom } from './random.js';

const order = JSON.parse(process.argv[2] ?? '') as ProducerOrder;
const random = new SeededRandom(order.seed);
const ledger: Ledger = new Map();
const client = createClient({ clientId: order.client, url: order.url });
const stepMs = 20;
const eventsPerStep = Math.max(1, Math.floor((order.eventsPerSec * stepMs) / 1000));
let stopping = false;
let events = 0;
process.on('message', (message) => {
  if (message === 'stop') stopping = true;
});

while (!stopping) {
  for (let count = 0; count < eventsPerStep; count++) {
    const { tab, type, value } = nextEvent(random, order.tabs, ledger);
    client.record(tab, type, value);
    events += 1;
  }
  await pause(stepMs);
}
while (client.status().buffered > 0) await client.flush();
const { lost, rejected } = client.status();
const report: ProducerReport = { client: order.client, events, lost: lost + rejected, ledger: [...ledger] };
await client.close();
process.send!(report, () => process.disconnect());

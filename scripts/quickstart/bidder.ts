/**
 * One application process of the quick start: bids in auctions, and records what happens through the SDK.
 *
 * Prices are log-normal, as winning prices are: most are small, a few are large. Latencies are exponential on top of a floor.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '../../src/client/index.js';
import type { BidderOrder, BidderReport, Sum } from './order.js';

const order = JSON.parse(process.argv[2] ?? '') as BidderOrder;
const client = createClient({ clientId: order.client, url: order.url });
const random = mulberry32(order.seed);
const sums: Record<string, Sum> = {};
const latest: Record<string, string> = {};
const distinct: Record<string, Set<string>> = {};

function recordNumber(
  tab: string,
  type: 'CounterGroup' | 'PercentileGroup' | 'TotalsCounter',
  value: number,
): void {
  client.record(tab, type, value);
  sums[tab] ??= { count: 0, total: 0, absolute: 0 };
  sums[tab].count += 1;
  sums[tab].total += value;
  sums[tab].absolute += Math.abs(value);
}

function recordLatest(tab: string, value: string): void {
  client.record(tab, 'Gauge', value);
  latest[tab] = value;
}

function recordDistinct(tab: string, value: string): void {
  client.record(tab, 'UniqueCounter', value);
  distinct[tab] ??= new Set();
  distinct[tab].add(value);
}

const cents = (amount: number): number => Math.round(amount * 100) / 100;
const steps = 50;
const campaigns = ['spring_sale', 'retargeting', 'brand'];

recordLatest('bidder_state', 'bidding');
for (let step = 0; step < steps; step += 1) {
  for (let auction = 0; auction < order.auctions / steps; auction += 1) {
    recordNumber('bid_requests', 'CounterGroup', 1);
    recordNumber('bid_latency_sec', 'PercentileGroup', 0.002 - 0.004 * Math.log(1 - random()));
    recordDistinct('unique_users', `user-${Math.floor(random() * 200)}`);
    if (random() > 0.3) continue;
    const campaign = campaigns[Math.floor(random() * campaigns.length)]!;
    const price = Math.max(0.01, cents(Math.exp(-0.35 + 1.1 * gaussian())));
    recordNumber('bids_won', 'CounterGroup', 1);
    recordNumber('winning_bid_price', 'CounterGroup', price);
    recordNumber(`campaign_spend;campaign=${campaign}`, 'TotalsCounter', price);
    recordLatest('leading_campaign', campaign);
  }
  await pause(order.durationMs / steps);
}
recordLatest('bidder_state', 'done');

while (client.status().buffered > 0) await client.flush();
const { lost, rejected } = client.status();
await client.close();
const report: BidderReport = {
  client: order.client,
  sums,
  latest,
  distinct: Object.fromEntries(Object.entries(distinct).map(([tab, values]) => [tab, [...values]])),
  lost: lost + rejected,
};
process.stdout.write(JSON.stringify(report));

/** Box and Muller (1958). */
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A small seeded generator (Tommy Ettinger's mulberry32): the same seed bids the same bids. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

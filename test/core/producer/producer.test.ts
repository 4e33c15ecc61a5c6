import fc from 'fast-check';
import t from 'tap';
import type { Answer, Block } from '../../../src/core/block.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { BucketIndex, ClientId, ProducerId, Seq, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import { Producer, type ProducerOptions } from '../../../src/core/producer/producer.js';
import type { SettledParts } from '../../../src/core/producer/waiter.js';
import { decodePart, encodeParts, readParts } from '../../../src/wire/parts.js';

const registry = builtinHandlers();
const type = 'TotalsCounter' as TabType;
const bucket = 0 as BucketIndex;
const acknowledged: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };

function producer(options: Partial<ProducerOptions> = {}): Producer {
  let ids = 0;
  return new Producer({
    ...{
      id: 'first' as ProducerId,
      birthMs: 0,
      registry,
      bucketCount: 1,
      limits: { maxOpenBlocksPerBucket: 3 },
    },
    encode: (parts) => encodeParts(parts, registry),
    newId: () => `next${++ids}` as ProducerId,
    ...options,
  });
}

function parts(events: number, tab = 'a', client = 'c', tabType = type): PartMap {
  const map = new PartMap(registry);
  for (let i = 0; i < events; i++) {
    map.fold(tab as TabName, tabType, client as ClientId, 1, { timestampSec: 1, sequence: i });
  }
  return map;
}

function answer(to: Producer, { producer: id, seq }: Block, given: Answer, nowMs = 0): string {
  return to.take({ bucket, producer: id, seq, answer: given }, nowMs).kind;
}

const seqs = (of: Producer): string[] => of.open(bucket).map(({ producer: id, seq }) => `${id}#${seq}`);
const expects = (seq: number): Answer => ({ kind: 'expects', seq: seq as Seq });

t.test('Parts without a number merge; a number freezes', async (t) => {
  const p = producer();
  p.add(parts(2));
  p.add(parts(3));
  const block = p.seal(bucket, 1)!;
  t.equal(block.events, 5);
  t.equal(readParts(block.payload).length, 1);
  const bytes = block.payload.slice();
  p.add(parts(1));
  t.same(p.open(bucket)[0]!.payload, bytes);
  t.equal(p.seal(bucket, 2)!.seq, 2);
  t.equal(p.seal(bucket, 3), undefined, 'nothing left');
});

t.test('no more open Blocks than allowed; the rest goes on merging', async (t) => {
  const p = producer();
  const blocks: Block[] = [];
  for (let i = 0; i < 5; i++) {
    p.add(parts(1));
    const block = p.seal(bucket, i);
    if (block !== undefined) blocks.push(block);
  }
  t.same([...p.readyBuckets()], []);
  t.equal(p.books().unnumbered, 2);
  t.equal(answer(p, blocks[0]!, acknowledged), 'settled');
  t.equal(p.seal(bucket, 9)!.events, 2);
});

t.test('only its own acknowledgement drops a Block', async (t) => {
  const p = producer();
  p.add(parts(1));
  const first = p.seal(bucket, 0)!;
  p.add(parts(1));
  const second = p.seal(bucket, 0)!;
  t.equal(answer(p, first, { kind: 'busy', retryAfterMs: 7 }), 'wait');
  t.equal(answer(p, first, { kind: 'not_owner' }), 'reroute');
  t.equal(answer(p, second, expects(1)), 'resend');
  t.same(seqs(p), ['first#1', 'first#2']);
  t.equal(answer(p, second, acknowledged), 'settled');
  t.same(seqs(p), ['first#1']);
  t.equal(answer(p, second, acknowledged), 'stale');
  t.equal(answer(p, first, expects(9)), 'stale', 'above everything sent');
});

t.test('an acknowledged number that is expected again is a loss, but only with proof', async (t) => {
  const p = producer();
  p.add(parts(4));
  const first = p.seal(bucket, 0)!;
  p.add(parts(2));
  const second = p.seal(bucket, 0)!;
  answer(p, first, acknowledged);
  // Second was sent before the first was acknowledged: this answer may be older than that.
  t.equal(answer(p, second, expects(1)), 'resend');
  t.same(seqs(p), ['first#2', 'first#3'], 'the probe');
  t.equal(p.open(bucket)[1]!.events, 0);
  t.equal(answer(p, second, expects(1)), 'resend', 'one probe is enough');
  t.equal(p.open(bucket).length, 2);
  p.add(parts(1));
  t.equal(answer(p, p.open(bucket)[1]!, expects(1)), 'abandoned');
  t.same(p.books().dropped, { store_lost: 6 });
  t.equal(p.books().delivered, 0);
  const next = p.seal(bucket, 5)!;
  t.match(next, { producer: 'next1', seq: 1, retires: 'first', events: 1, birthMs: 5 });
  p.add(parts(1));
  t.notOk('retires' in p.seal(bucket, 6)!);
  t.equal(p.books().balance, 0);
});

t.test('a probe that is acknowledged proves that nothing was lost', async (t) => {
  const p = producer();
  p.add(parts(4));
  const first = p.seal(bucket, 0)!;
  p.add(parts(2));
  const second = p.seal(bucket, 0)!;
  answer(p, first, acknowledged);
  answer(p, second, expects(1));
  for (const block of p.open(bucket)) answer(p, block, acknowledged);
  t.same(p.books(), { ...p.books(), delivered: 6, dropped: {}, open: 0, balance: 0 });
});

t.test('a forgotten producer: numbered Blocks are given up, the rest goes on under a new id', async (t) => {
  const p = producer();
  p.add(parts(4));
  const block = p.seal(bucket, 0)!;
  p.add(parts(2));
  t.equal(answer(p, block, { kind: 'unknown_producer' }), 'abandoned');
  t.same(p.books().dropped, { fate_unknown: 4 });
  t.match(p.seal(bucket, 8)!, { producer: 'next1', seq: 1, birthMs: 8, events: 2 });
});

t.test(
  'a bucket that was idle for long begins a new id, so that no owner can have forgotten it',
  async (t) => {
    const p = producer({ renewAfterMs: 100 });
    p.add(parts(1));
    const first = p.seal(bucket, 50)!;
    t.equal(first.producer, 'first');
    p.add(parts(1));
    t.equal(p.seal(bucket, 500)!.producer, 'first', 'not while a Block is open');
    for (const block of p.open(bucket)) answer(p, block, acknowledged, 500);
    p.add(parts(1));
    t.match(p.seal(bucket, 700)!, { producer: 'next1', seq: 1, birthMs: 700 });
    const late = producer({ renewAfterMs: 100 });
    late.add(parts(1));
    t.equal(late.seal(bucket, 101)!.producer, 'next1', 'born too long ago');
  },
);

t.test('ids are born by the clock of the store, however wrong the own one is', async (t) => {
  const hourMs = 3_600_000;
  for (const storeAheadMs of [hourMs, -hourMs]) {
    const nowMs = 10 * hourMs;
    const p = producer({ birthMs: nowMs + storeAheadMs, storeAheadMs, renewAfterMs: 100 });
    p.add(parts(1));
    const first = p.seal(bucket, nowMs)!;
    t.match(first, { producer: 'first', birthMs: nowMs + storeAheadMs });
    answer(p, first, acknowledged, nowMs);
    p.add(parts(1));
    t.match(p.seal(bucket, nowMs + 200)!, { producer: 'next1', birthMs: nowMs + 200 + storeAheadMs });
  }
});

t.test('closed: what was counted is settled, the rest is un-numbered again', async (t) => {
  const decode = (payload: Uint8Array): PartMap => {
    const map = new PartMap(registry);
    for (const r of readParts(payload))
      map.reduce(r.tab, r.type, r.client, decodePart(r, registry), r.events);
    return map;
  };
  const p = producer({ decode });
  const outcomes: SettledParts[] = [];
  for (const events of [1, 2, 4]) {
    p.add(parts(events), (outcome) => outcomes.push(outcome));
    p.seal(bucket, 0);
  }
  answer(p, p.open(bucket)[2]!, { kind: 'closed', seq: 1 as Seq });
  t.same(p.books(), { ...p.books(), delivered: 1, unnumbered: 6, open: 0, dropped: {}, balance: 0 });
  t.equal(outcomes.length, 1);
  const block = p.seal(bucket, 1)!;
  t.match(block, { producer: 'next1', events: 6 });
  answer(p, block, acknowledged);
  t.same(outcomes, Array(3).fill({ rejected: [], dropped: undefined }));
});

t.test('Blocks of a spool keep their ids and numbers, and go out beside new ones', async (t) => {
  const before = producer({ id: 'before' as ProducerId });
  before.add(parts(1));
  before.seal(bucket, 0);
  before.add(parts(2));
  before.seal(bucket, 0);
  const p = producer();
  p.restore({ blocks: before.open(bucket), parts: parts(8) });
  p.seal(bucket, 0);
  t.same(seqs(p), ['before#1', 'before#2', 'first#1']);
  t.equal(p.books().received, 11);
  t.equal(answer(p, p.open(bucket)[1]!, expects(1)), 'resend');
  for (const block of p.open(bucket)) t.equal(answer(p, block, acknowledged), 'settled');
  t.equal(p.books().delivered, 11);
  t.equal(p.openBlocks, 0);
});

t.test(
  'a loss is seen of numbers that were settled before the restart, between two Blocks of the spool',
  async (t) => {
    const before = producer({ id: 'before' as ProducerId });
    for (let i = 0; i < 3; i++) {
      before.add(parts(1));
      before.seal(bucket, 0);
    }
    answer(before, before.open(bucket)[1]!, acknowledged);
    const p = producer();
    p.restore({ blocks: before.open(bucket) });
    answer(p, p.open(bucket)[0]!, acknowledged);
    t.equal(answer(p, p.open(bucket)[0]!, expects(2)), 'abandoned');
    t.same(p.books(), { ...p.books(), delivered: 1, dropped: { store_lost: 1 }, balance: 0 });
  },
);

t.test('a record that cannot be written leaves everything as it was', async (t) => {
  let broken = true;
  const sealed: Block[] = [];
  const settled: Seq[] = [];
  const p = producer({
    record: {
      sealed: (block) => {
        if (broken) throw new Error('disk full');
        sealed.push(block);
      },
      settled: (_bucket, _producer, seq) => void settled.push(seq),
      requeued: () => t.fail('nothing is requeued'),
      discarded: () => t.fail('nothing is discarded'),
    },
  });
  p.add(parts(3));
  t.throws(() => p.seal(bucket, 0), { message: 'disk full' });
  t.same(seqs(p), []);
  broken = false;
  const block = p.seal(bucket, 0)!;
  t.match(block, { seq: 1, events: 3 });
  t.same(sealed, [block]);
  answer(p, block, acknowledged);
  t.same(settled, [1]);
});

t.test('a waiter hears once, when all its buckets are settled, and what was rejected', async (t) => {
  const p = producer({ bucketCount: 2 });
  const both = parts(1, 't0');
  for (let i = 1; i < 40; i++) both.reduceAll(parts(1, `t${i}`));
  const outcomes: SettledParts[] = [];
  p.add(both, (outcome) => outcomes.push(outcome));
  const blocks = [...p.readyBuckets()].map((index) => p.seal(index, 0)!);
  t.equal(blocks.length, 2);
  const rejected = [{ tab: 't1', client: 'c', events: 1, code: 'type_conflict', message: '' } as const];
  const [one, two] = blocks as [Block, Block];
  p.take({ ...one, answer: { kind: 'acknowledged', repeat: false, rejected } }, 0);
  t.same(outcomes, []);
  p.take({ ...two, answer: acknowledged }, 0);
  t.same(outcomes, [{ rejected, dropped: undefined }]);
  t.same(p.books().rejected, { type_conflict: 1 });
  p.add(new PartMap(registry), (outcome) => outcomes.push(outcome));
  t.equal(outcomes.length, 2, 'no Parts, no wait');
});

t.test('another type under the name of what waits is rejected and counted', async (t) => {
  const p = producer();
  p.add(parts(1));
  const rejected = p.add(parts(2, 'a', 'c', 'Noop' as TabType));
  t.match(rejected, [{ tab: 'a', events: 2, code: 'type_conflict' }]);
  t.same(p.books(), { ...p.books(), received: 3, unnumbered: 1, rejected: { type_conflict: 2 }, balance: 0 });
});

t.test('more than fits into a Block is spread over several, and nothing is lost', async (t) => {
  const p = producer({ maxBlockBytes: 200, limits: { maxOpenBlocksPerBucket: 1000 } });
  const many = new PartMap(registry);
  for (let i = 0; i < 50; i++) many.reduceAll(parts(1, `tab${i}`));
  p.add(many);
  const names = new Set<string>();
  for (let block = p.seal(bucket, 0); block !== undefined; block = p.seal(bucket, 0)) {
    t.ok(block.payload.length <= 200);
    for (const { tab } of readParts(block.payload)) names.add(tab);
  }
  t.equal(names.size, 50);
  t.same(p.books(), { ...p.books(), unnumbered: 0, open: 50, balance: 0 });
});

t.test('what is discarded or too old is counted', async (t) => {
  const p = producer();
  p.add(parts(1));
  p.seal(bucket, 10);
  t.equal(p.expire(10), 0);
  t.equal(p.expire(11), 1);
  p.add(parts(2));
  p.seal(bucket, 20);
  p.add(parts(4));
  t.equal(p.discard('flushed'), 6);
  t.same(p.books(), {
    ...p.books(),
    dropped: { too_old: 1, flushed: 6 },
    unnumbered: 0,
    open: 0,
    balance: 0,
  });
});

t.test('the books balance after every step, whatever is answered', async (t) => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      events: fc.integer({ min: 0, max: 9 }),
      tab: fc.constantFrom('a', 'b'),
    }),
    fc.record({ do: fc.constant('seal' as const) }),
    fc.record({ do: fc.constant('discard' as const) }),
    fc.record({
      do: fc.constant('answer' as const),
      index: fc.nat(3),
      kind: fc.constantFrom(
        'acknowledged',
        'rejected',
        'expects',
        'not_owner',
        'busy',
        'unknown_producer',
        'closed',
      ),
      seq: fc.integer({ min: 0, max: 5 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const p = producer();
      let added = 0;
      for (const [nowMs, it] of steps.entries()) {
        if (it.do === 'add') {
          added += it.events;
          p.add(parts(it.events, it.tab));
        } else if (it.do === 'seal') p.seal(bucket, nowMs);
        else if (it.do === 'discard') p.discard('flushed');
        else {
          const block = p.open(bucket)[it.index];
          if (block !== undefined) answer(p, block, toAnswer(it.kind, it.seq, block), nowMs);
        }
        const books = p.books();
        if (books.balance !== 0 || books.received !== added) return false;
        if (books.delivered < 0 || books.open < 0 || books.unnumbered < 0) return false;
        if (p.open(bucket).reduce((sum, { events }) => sum + events, 0) !== books.open) return false;
      }
      return true;
    }),
  );
  t.pass('any order of steps');
});

function toAnswer(kind: string, seq: number, block: Block): Answer {
  if (kind === 'expects' || kind === 'closed') return { kind, seq: seq as Seq };
  if (kind === 'busy') return { kind, retryAfterMs: 1 };
  if (kind === 'not_owner' || kind === 'unknown_producer') return { kind };
  const refused = {
    tab: 'a',
    client: 'c',
    events: Math.min(1, block.events),
    code: 'denied',
    message: '',
  } as const;
  return { kind: 'acknowledged', repeat: false, rejected: kind === 'rejected' ? [refused] : [] };
}

import t from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import type { BucketIndex, ClientId, TabType } from '../../../src/core/ids.js';
import type { Ask, Told } from '../../../src/server/query/ask.js';
import { decodeAsk, decodeTold, encodeAsk, encodeTold } from '../../../src/server/query/ask-codec.js';
import { bucketRanges } from '../../../src/server/query/bucket-ranges.js';
import type { Chore, ChoreDone } from '../../../src/server/query/chore.js';
import {
  decodeChore,
  decodeChoreDone,
  decodeDiscard,
  decodeDiscarded,
  encodeChore,
  encodeChoreDone,
  encodeDiscard,
  encodeDiscarded,
} from '../../../src/server/query/chore-codec.js';
import { pack, unpack } from '../../../src/wire/msgpack.js';
import { registry } from '../reduce/owners-kit.js';

const ask: Ask = {
  subject: 'projections',
  buckets: [0, 5, 999] as BucketIndex[],
  tabs: { expression: 'a.*' },
  clients: ['c', 'd'],
  form: 'detailed',
  nowSec: 1_700_000_000.25,
  maxBytes: 1_000_000,
};

t.test('questions come through as they were', async (t) => {
  for (const one of [
    ask,
    { ...ask, tabs: 'all', clients: 'all' },
    { ...ask, subject: 'sum', tabs: [] },
  ] as Ask[]) {
    t.strictSame(decodeAsk(encodeAsk(one)), one);
  }
  const chore: Chore = { work: 'delete', buckets: [1, 2] as BucketIndex[], tabs: ['a'], repair: true };
  t.strictSame(decodeChore(encodeChore(chore)), chore);
  t.strictSame(decodeChore(encodeChore({ ...chore, tabs: undefined })).tabs, undefined);
  t.strictSame(decodeDiscard(encodeDiscard(undefined)), undefined);
  t.strictSame(decodeDiscard(encodeDiscard(chore.buckets)), [1, 2]);
  t.equal(decodeDiscarded(encodeDiscarded(12)), 12);
});

t.test('answers come through as they were', async (t) => {
  const told: Told = {
    missing: [5] as BucketIndex[],
    foundTabs: ['a'],
    foundClients: ['c'] as ClientId[],
    rows: [['a', 'c', 'x'.repeat(100_000)]],
    types: ['TotalsCounter', 'Gauge'] as TabType[],
    sum: undefined,
  };
  t.strictSame(decodeTold(encodeTold(told, registry), ask, registry), told);
  const handler = registry.get('TotalsCounter')!;
  const state = handler.newState();
  handler.fold(state, handler.parse(7), { timestampSec: 1, sequence: 0 });
  const sum: Told = { ...told, rows: [], types: ['TotalsCounter' as TabType], sum: state };
  t.strictSame(decodeTold(encodeTold(sum, registry), { ...ask, subject: 'sum' }, registry).sum, state);
  const done: ChoreDone = {
    undone: [{ bucket: 3 as BucketIndex, reason: 'why' }],
    counts: { tabs: 1, clients: 0 },
    findings: ['{"bucket":1}'],
    setAside: ['{}'],
  };
  t.strictSame(decodeChoreDone(encodeChoreDone(done)), done);
});

t.test('what is not of the form is refused by name', async (t) => {
  const code = (read: () => unknown): string => {
    try {
      read();
      return 'none';
    } catch (error) {
      return error instanceof TabaError ? error.code : String(error);
    }
  };
  const packed = unpack(encodeAsk(ask)) as readonly never[];
  t.equal(
    code(() => decodeAsk(pack(packed.with(0, 2 as never)))),
    'unsupported_version',
  );
  t.equal(
    code(() => decodeAsk(pack(packed.slice(0, -1)))),
    'bad_framing',
  );
  t.equal(
    code(() => decodeAsk(pack(packed.with(1, 99 as never)))),
    'bad_framing',
    'no such subject',
  );
  t.equal(
    code(() => decodeAsk(pack([...packed, null]))),
    'bad_framing',
    'a field too many',
  );
  t.equal(
    code(() => decodeAsk(Uint8Array.of(1, 2, 3))),
    'bad_framing',
  );
  t.equal(
    code(() => decodeChore(pack('text'))),
    'bad_framing',
  );
  const unknown = { missing: [], foundTabs: [], foundClients: [], rows: [], types: ['Unheard' as TabType] };
  t.equal(
    code(() => encodeTold({ ...unknown, sum: {} }, registry)),
    'unknown_type',
  );
});

t.test('buckets are named as ranges', async (t) => {
  t.equal(bucketRanges([]), '');
  t.equal(bucketRanges([5]), '5');
  t.equal(bucketRanges([500, 0, 2, 1, 3, 3, 7, 8]), '0-3, 7-8, 500');
});

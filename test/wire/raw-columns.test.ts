import { deepStrictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { TabaError } from '../../src/core/errors.js';
import type { Frame, PushRaw } from '../../src/wire/frame.js';
import { decodeFrame, encodeFrame } from '../../src/wire/frame-codec.js';
import {
  claimedEvents,
  type RawColumns,
  readRawColumns,
  writeRawColumns,
} from '../../src/wire/raw-columns.js';
import { hexOf } from './probe-handler.js';

const columns: RawColumns = {
  tabs: Uint32Array.of(7, 0),
  counts: Uint32Array.of(2, 1),
  seconds: Float64Array.of(1396980134.25),
  values: Float64Array.of(1, -2.5, 1e300),
};

function pushOf(these: RawColumns): PushRaw {
  return { kind: 'push-raw', session: 's', number: 1, client: 'web-1', ...writeRawColumns(these) };
}

/** What is said to the columns: nothing, or the message of `corrupt`. */
function refusalOf(frame: Pick<PushRaw, keyof RawColumns>): string | undefined {
  try {
    readRawColumns(frame);
    return undefined;
  } catch (error) {
    if (error instanceof TabaError && error.code === 'corrupt') return error.message;
    throw error;
  }
}

t.test('golden bytes', (t) => {
  t.equal(
    hexOf(encodeFrame({ kind: 'define-tabs', tabs: [{ id: 7, name: 'bids_won', type: 'CounterGroup' }] })),
    `920b919307a8${hexOf(Buffer.from('bids_won'))}ac${hexOf(Buffer.from('CounterGroup'))}`,
  );
  t.equal(
    hexOf(encodeFrame(pushOf(columns))),
    [
      `980ca17301a5${hexOf(Buffer.from('web-1'))}`,
      'c4080700000000000000',
      'c4080200000001000000',
      `c408${hexOf(doubles(1396980134.25))}`,
      `c418${hexOf(doubles(1, -2.5, 1e300))}`,
    ].join(''),
  );
  t.equal(hexOf(doubles(1, -2.5)), '000000000000f03f00000000000004c0', 'little-endian');
  const ack: Frame = {
    ...{ kind: 'raw-ack', session: 's', number: 1, repeat: false, accepted: 2, clamped: 1, rejectedTotal: 1 },
    rejected: [{ index: 0, code: 'bad_value', message: 'no' }],
  };
  t.equal(
    hexOf(encodeFrame(ack)),
    `980da17301c2020101919300a9${hexOf(Buffer.from('bad_value'))}a2${hexOf(Buffer.from('no'))}`,
  );
  t.end();
});

t.test('the example of docs/protocol.md', async (t) => {
  const text = await readFile(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8');
  const [, example = ''] =
    /as frame 1 of session `s` of client `web-1`:\n\n```text\n([^`]*)```/.exec(text) ?? [];
  const bytes = example.split('\n').flatMap((line) => /^ *(?:[0-9a-f]{2} {1,2})+/.exec(line)?.[0] ?? []);
  const frame = pushOf({
    ...{ tabs: Uint32Array.of(0, 1), counts: Uint32Array.of(2, 1) },
    ...{ seconds: Float64Array.of(1396980134), values: Float64Array.of(1.5, 2.5, 8) },
  });
  t.equal(bytes.join('').replaceAll(' ', ''), hexOf(encodeFrame(frame)));
});

function doubles(...values: number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 8));
  for (const [index, value] of values.entries()) bytes.setFloat64(index * 8, value, true);
  return new Uint8Array(bytes.buffer);
}

const groups = fc
  .array(fc.tuple(fc.nat(2 ** 32 - 1), fc.array(fc.double(), { maxLength: 5 })), { maxLength: 8 })
  .chain((these) =>
    fc.record({
      these: fc.constant(these),
      seconds: fc.oneof(
        fc.constant([]),
        fc.tuple(fc.double()),
        fc.array(fc.double(), { minLength: these.length, maxLength: these.length }),
      ),
    }),
  );

t.test('columns come back through a frame as they were, from whatever memory', (t) => {
  fc.assert(
    fc.property(groups, fc.nat(7), ({ these, seconds }, offset) => {
      const given: RawColumns = {
        tabs: Uint32Array.from(these, ([tab]) => tab),
        counts: Uint32Array.from(these, ([, values]) => values.length),
        seconds: Float64Array.from(seconds),
        values: Float64Array.from(these.flatMap(([, values]) => values)),
      };
      const frame = decodeFrame(encodeFrame(pushOf(given)));
      if (frame.kind !== 'push-raw') return false;
      const moved = (bytes: Uint8Array) => {
        const within = Buffer.alloc(bytes.length + offset);
        within.set(bytes, offset);
        return within.subarray(offset);
      };
      deepStrictEqual(readRawColumns(frame), given);
      const { tabs, counts, seconds: column, values } = frame;
      const elsewhere = {
        ...{ tabs: moved(tabs), counts: moved(counts), seconds: moved(column), values: moved(values) },
      };
      deepStrictEqual(readRawColumns(elsewhere), given);
      return claimedEvents(frame) === given.values.length;
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('columns that do not fit each other are told from those that do', (t) => {
  const good = writeRawColumns(columns);
  t.equal(refusalOf(good), undefined);
  const bytes = (length: number) => new Uint8Array(length);
  for (const [change, message] of [
    [{ tabs: bytes(7) }, /7 bytes of tabs, which are 4 bytes wide/],
    [{ counts: bytes(9) }, /9 bytes of counts/],
    [{ seconds: bytes(4) }, /4 bytes of seconds, which are 8 bytes wide/],
    [{ values: bytes(23) }, /23 bytes of values/],
    [{ counts: bytes(4) }, /1 counts for the tabs of 2 groups/],
    [{ seconds: bytes(24) }, /3 seconds for 2 groups/],
    [{ values: bytes(16) }, /2 values where the counts add up to 3/],
    [{ counts: bytes(8) }, /3 values where the counts add up to 0/],
  ] as const) {
    t.match(refusalOf({ ...good, ...change }), message);
  }
  t.equal(refusalOf({ ...good, seconds: bytes(0) }), undefined);
  t.equal(refusalOf({ ...good, seconds: bytes(16) }), undefined);
  t.end();
});

t.test('no bytes do anything but give columns or be refused', (t) => {
  const column = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(column, column, column, column, (tabs, counts, seconds, values) => {
      const frame = { tabs, counts, seconds, values };
      const refusal = refusalOf(frame);
      return refusal !== undefined || readRawColumns(frame).values.length * 8 === values.length;
    }),
  );
  t.end();
});

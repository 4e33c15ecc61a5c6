import fc from 'fast-check';
import t from 'tap';
import { ByteReader } from '../../../src/core/bytes.js';
import {
  decodeHeader,
  encodeHeader,
  formatVersion,
  hashName,
  headerBytes,
  RecordBuffer,
  readRecord,
  segmentName,
  segmentNumber,
} from '../../../src/storage/embedded/format.js';
import { contentOf, encodeHead, type LogRecord, readHead } from '../../../src/storage/embedded/records.js';

const bucket = 300 as never;
const content = contentOf(new Uint8Array([1, 2, 3]));

/** Written by format version 1; these bytes decode for ever. */
const golden: readonly (readonly [LogRecord, string])[] = [
  [{ kind: 'commit', bytes: 1000, oldest: 3 }, '01e80703'],
  [
    {
      kind: 'entry',
      bucket,
      moved: false,
      entry: { position: 5, producer: 'aa', birthMs: 1.5, seq: 6, retires: 'bb', atMs: 2, sealedAtMs: 3 },
      content,
    },
    '02ac0205026161000000000000f83f0602626200000000000000400000000000000840031d80bc55',
  ],
  [
    {
      kind: 'entry',
      bucket,
      moved: true,
      entry: { position: 5, producer: 'aa', birthMs: 1.5, seq: 6, atMs: 2, sealedAtMs: 3 },
      content,
    },
    '08ac0205026161000000000000f83f060000000000000000400000000000000840031d80bc55',
  ],
  [
    {
      kind: 'aside',
      bucket,
      item: {
        producer: 'aa',
        birthMs: 1.5,
        seq: 6,
        position: 5,
        tab: 'tab',
        client: 'host',
        events: 9,
        reason: 'why',
        atMs: 4,
      },
      content,
    },
    '03ac02026161000000000000f83f06050374616204686f737409037768790000000000001040031d80bc55',
  ],
  [
    {
      kind: 'aside',
      bucket,
      origin: { segment: 2, offset: 64 },
      item: {
        producer: 'aa',
        birthMs: 1.5,
        seq: 6,
        position: 5,
        tab: 'tab',
        client: 'host',
        events: 9,
        reason: 'why',
        atMs: 4,
      },
      content,
    },
    '09ac020240026161000000000000f83f06050374616204686f737409037768790000000000001040031d80bc55',
  ],
  [
    {
      kind: 'pages',
      bucket,
      items: [
        { tab: 'tab', client: '', position: 5, type: 'Gauge', content },
        { tab: 't', client: 'c', position: 6, deleted: true },
      ],
    },
    '04ac020203746162000501054761756765031d80bc55017401630600',
  ],
  [{ kind: 'trim', bucket, upTo: 128 }, '05ac028001'],
  [
    { kind: 'forget', bucket, horizonMs: 7.25, producers: ['aa', 'bb'] },
    '06ac020000000000001d4002026161026262',
  ],
  [
    {
      kind: 'facts',
      bucket,
      facts: { lastPosition: 9, trimmedUpTo: 8, forgetHorizonMs: 7 },
      producers: [{ producer: 'aa', birthMs: 1, lastSeq: 2, lastAtMs: 3 }],
    },
    '07ac0209080000000000001c4001026161000000000000f03f020000000000000840',
  ],
] as never;

t.test('a header has its place for everything', (t) => {
  const header = {
    version: formatVersion,
    segment: 7,
    bucketCount: 1000,
    hash: hashName,
    mark: 0xa1b2c3d4,
    previousEnd: 99,
    createdAtMs: 1_396_980_134_250,
  };
  const bytes = encodeHeader(header);
  t.equal(bytes.length, headerBytes);
  t.equal(
    bytes.toString('hex'),
    '544142414c4f470a0100000007000000e80300007878683332000000d4c3b2a10000000000c0584000a016132854744200000000000000000000000024f0e3dc',
  );
  t.strictSame(decodeHeader(bytes), header);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 16;
    t.equal(decodeHeader(damaged), undefined);
  }
  t.equal(decodeHeader(bytes.subarray(0, 63)), undefined);
  t.end();
});

t.test('golden bytes of every kind of record', (t) => {
  for (const [record, hex] of golden) {
    t.equal(Buffer.from(encodeHead(record)).toString('hex'), hex);
    t.strictSame(readHead(new ByteReader(Buffer.from(hex, 'hex'))), record);
  }
  t.end();
});

t.test('a head that is too short, too long or of no kind is corrupt', (t) => {
  for (const [, hex] of golden) {
    const bytes = Buffer.from(hex, 'hex');
    t.throws(() => readHead(new ByteReader(bytes.subarray(0, -1))), { code: 'corrupt' });
    t.throws(() => readHead(new ByteReader(Buffer.concat([bytes, Buffer.alloc(1)]))), { code: 'corrupt' });
  }
  t.throws(() => readHead(new ByteReader(Buffer.from([200, 0]))), { code: 'corrupt' });
  t.throws(() => encodeHead({ kind: 'trim', bucket, upTo: -1 as never }), RangeError);
  t.end();
});

t.test('a record is found where it is, whole, and nowhere else', (t) => {
  const buffer = new RecordBuffer(0x01020304, 16);
  const head = encodeHead({ kind: 'trim', bucket, upTo: 5 as never });
  buffer.add(head, []);
  const start = buffer.length;
  const contentStart = buffer.add(head, [new Uint8Array([9, 8]), new Uint8Array([7])]);
  const bytes = Buffer.from(buffer.peek());
  const sourceOf = (bytes: Buffer) => ({
    size: bytes.length,
    bytes: (offset: number, length: number) => bytes.subarray(offset, offset + length),
  });
  const found = readRecord(sourceOf(bytes), start, 0x01020304)!;
  t.match(found, { offset: start, contentOffset: contentStart, end: bytes.length });
  t.strictSame([...bytes.subarray(contentStart)], [9, 8, 7]);
  for (let at = 0; at < bytes.length; at++) {
    if (at !== 0 && at !== start) t.equal(readRecord(sourceOf(bytes), at, 0x01020304), undefined);
  }
  t.equal(readRecord(sourceOf(bytes), start, 0x01020305), undefined, 'of another store');
  t.equal(readRecord(sourceOf(bytes.subarray(0, -1)), start, 0x01020304), undefined, 'cut off');
  for (let at = start; at < contentStart; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    t.equal(readRecord(sourceOf(damaged), start, 0x01020304), undefined, `byte ${at}`);
  }
  buffer.clear();
  t.equal(buffer.length, 0);
  t.end();
});

t.test('entries and facts of any numbers and names come back', (t) => {
  const whole = fc.maxSafeNat();
  const plain = { noNullPrototype: true };
  const entry = fc.record(
    {
      position: whole,
      producer: fc.string(),
      birthMs: fc.double(),
      seq: whole,
      atMs: fc.double(),
      sealedAtMs: fc.double(),
    },
    plain,
  );
  const row = fc.record(
    {
      producer: fc.string(),
      birthMs: fc.double(),
      lastSeq: whole,
      lastAtMs: fc.double(),
    },
    plain,
  );
  const facts = fc.record({ lastPosition: whole, trimmedUpTo: whole, forgetHorizonMs: fc.double() }, plain);
  const records = fc.oneof(
    fc.record(
      {
        kind: fc.constant('entry'),
        bucket: fc.nat(),
        moved: fc.boolean(),
        entry,
        content: fc.constant(content),
      },
      plain,
    ),
    fc.record({ kind: fc.constant('facts'), bucket: fc.nat(), facts, producers: fc.array(row) }, plain),
    fc.record({ kind: fc.constant('commit'), bytes: whole, oldest: whole }, plain),
  );
  fc.assert(
    fc.property(records, (record) => {
      t.strictSame(readHead(new ByteReader(encodeHead(record as never))), record);
    }),
    { numRuns: 100, seed: 4 },
  );
  t.end();
});

t.test('names of segments', (t) => {
  t.equal(segmentName(12), 'segment-0000000012.log');
  t.equal(segmentNumber('segment-0000000012.log'), 12);
  t.equal(segmentNumber(segmentName(12_345_678_901)), 12_345_678_901);
  for (const name of ['segment-12.log', 'damaged-segment-0000000012-64.bin', 'lock-00.sock', 'taba-store']) {
    t.equal(segmentNumber(name), undefined);
  }
  t.end();
});

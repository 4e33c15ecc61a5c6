import fc from 'fast-check';
import { Packr } from 'msgpackr';
import t from 'tap';
import type { AddressedAnswer, Answer, Block } from '../../src/core/block.js';
import { TabaError } from '../../src/core/errors.js';
import type { BucketIndex, ProducerId, Seq } from '../../src/core/ids.js';
import type { Frame } from '../../src/wire/frame.js';
import { decodeFrame, encodeFrame } from '../../src/wire/frame-codec.js';
import { hexOf } from './probe-handler.js';

const producer = '00112233445566778899aabbccddeeff' as ProducerId;
const other = 'ffeeddccbbaa99887766554433221100' as ProducerId;
const payload = new Uint8Array([1, 2, 3]);

const block: Block = {
  bucket: 999 as BucketIndex,
  producer,
  birthMs: 1396980134250.5,
  seq: 7 as Seq,
  sealedAtMs: 1396980135000,
  events: 12345,
  payload,
};

const rejection = {
  tab: 'bids_won',
  client: 'host-1',
  events: 3,
  code: 'type_conflict',
  message: 'bids_won is a Gauge',
} as const;

function answered(answer: Answer): AddressedAnswer {
  return { bucket: 0 as BucketIndex, producer, seq: 1 as Seq, answer };
}

/** Every kind, with and without what is optional. */
const frames: readonly Frame[] = [
  {
    kind: 'hello',
    versions: [2],
    role: 'agent',
    id: producer,
    name: 'host-1',
    bucketCount: 1000,
    hash: 'xxh32',
    generation: 0,
    maxFrameBytes: 2 ** 24,
    maxInFlight: 64,
    nowMs: 1396980134250.25,
  },
  {
    kind: 'hello',
    versions: [],
    role: 'sdk',
    id: other,
    name: '',
    maxFrameBytes: 1,
    maxInFlight: 1,
    nowMs: 0,
  },
  { kind: 'push-blocks', blocks: [] },
  { kind: 'push-blocks', blocks: [block, { ...block, bucket: 0 as BucketIndex, retires: other }] },
  { kind: 'push-flush', session: `${producer}-${other}`, number: 1, events: 2, payload },
  { kind: 'ack', answers: [answered({ kind: 'acknowledged', repeat: true, rejected: [] })] },
  { kind: 'ack', answers: [answered({ kind: 'acknowledged', repeat: false, rejected: [rejection] })] },
  {
    kind: 'nack',
    answers: [
      answered({ kind: 'expects', seq: 9 as Seq }),
      answered({ kind: 'not_owner' }),
      answered({ kind: 'busy', retryAfterMs: 12.5 }),
      answered({ kind: 'unknown_producer' }),
      answered({ kind: 'closed', seq: 0 as Seq }),
    ],
  },
  { kind: 'flush-ack', session: 's', number: 2 ** 53 - 1, rejected: [rejection] },
  { kind: 'flush-ack', session: 's', number: 1, rejected: [], pauseMs: 250 },
  { kind: 'flush-nack', session: 's', number: 3, reason: 'gap', expected: 2 },
  { kind: 'flush-nack', session: 's', number: 3, reason: 'busy', retryAfterMs: 100 },
  { kind: 'flush-nack', session: 's', number: 3, reason: 'refused', message: 'not Parts' },
  { kind: 'query', id: 0, name: 'read', body: new Uint8Array(0) },
  { kind: 'result', id: 4, body: payload, last: true },
  { kind: 'error', code: 'internal', message: 'größer', fatal: true },
  { kind: 'error', id: 5, code: 'internal', message: '', fatal: false },
  { kind: 'define-tabs', tabs: [] },
  { kind: 'define-tabs', tabs: [{ id: 2 ** 32 - 1, name: '', type: 'CounterGroup' }] },
  {
    kind: 'push-raw',
    session: 's',
    number: 1,
    tabs: payload,
    counts: payload,
    seconds: payload,
    values: payload,
  },
  {
    ...{ kind: 'push-raw', session: 's', number: 2, client: 'web-1', tabs: payload },
    ...{ counts: new Uint8Array(0), seconds: new Uint8Array(0), values: payload },
  },
  {
    ...{ kind: 'raw-ack', session: 's', number: 9, repeat: true, accepted: 3, clamped: 1, rejectedTotal: 1 },
    rejected: [{ index: 2, code: 'bad_value', message: 'a: NaN' }],
  },
];

const packr = new Packr({ useRecords: false });

/** What decodeFrame says to the bytes: nothing, or the message of its bad_framing. */
function refusalOf(bytes: Uint8Array): string | undefined {
  try {
    decodeFrame(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof TabaError && error.code === 'bad_framing') return error.message;
    throw error;
  }
}

t.test('golden bytes', (t) => {
  t.equal(
    hexOf(encodeFrame({ kind: 'push-blocks', blocks: [block] })),
    `92029198cd03e7d920${hexOf(Buffer.from(producer))}cb427454281316a80007c0cb4274542813458000cd3039c403010203`,
  );
  t.equal(
    hexOf(encodeFrame({ kind: 'nack', answers: [answered({ kind: 'not_owner' })] })),
    `9205919500d920${hexOf(Buffer.from(producer))}0101c0`,
  );
  t.equal(
    hexOf(encodeFrame({ kind: 'push-flush', session: 's', number: 1, events: 2, payload })),
    '9503a1730102c403010203',
  );
  t.end();
});

t.test('every frame comes back as it was', (t) => {
  for (const frame of frames) t.strictSame(decodeFrame(encodeFrame(frame)), frame, frame.kind);
  t.end();
});

t.test('binary is copied out of the bytes, and into them from any view', (t) => {
  const within = new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5);
  const expected = hexOf(encodeFrame({ kind: 'result', id: 1, body: payload, last: false }));
  for (const body of [within, Buffer.from(payload), Buffer.from([0, 1, 2, 3]).subarray(1)]) {
    t.equal(hexOf(encodeFrame({ kind: 'result', id: 1, body, last: false })), expected);
  }
  const bytes = encodeFrame({ kind: 'result', id: 1, body: payload, last: false });
  const frame = decodeFrame(bytes);
  bytes.fill(0);
  t.ok(frame.kind === 'result' && hexOf(frame.body) === '010203');
  t.end();
});

t.test('an ack frame takes acknowledgements alone, a nack frame everything else', (t) => {
  const acknowledged = answered({ kind: 'acknowledged', repeat: false, rejected: [] });
  t.throws(() => encodeFrame({ kind: 'nack', answers: [acknowledged] }), RangeError);
  t.throws(() => encodeFrame({ kind: 'ack', answers: [answered({ kind: 'not_owner' })] }), RangeError);
  t.end();
});

t.test('messages that are too long are clipped, not refused by the other side', (t) => {
  const frame = decodeFrame(
    encodeFrame({ kind: 'error', code: 'internal', message: 'x'.repeat(10_000), fatal: true }),
  );
  t.ok(frame.kind === 'error' && frame.message.length === 8192 && frame.message.endsWith('…'));
  t.end();
});

t.test('hello may say more in a later version, other frames may not', (t) => {
  const longer = (frame: Frame) => packr.pack([...packr.unpack(encodeFrame(frame)), 'more']);
  for (const frame of frames) {
    const refusal = refusalOf(longer(frame));
    if (frame.kind === 'hello') t.equal(refusal, undefined);
    else t.equal(refusal, `${frame.kind} has 1 fields too many`);
  }
  t.end();
});

t.test('every field is checked, and named', (t) => {
  const oneBlock = (change: Record<number, unknown>) => {
    const fields = [999, producer, 0, 1, null, 0, 1, Buffer.from(payload)];
    return [2, [Object.assign(fields, change)]];
  };
  const nack = (kind: unknown, argument: unknown) => [5, [[0, producer, 1, kind, argument]]];
  const hello = (change: Record<number, unknown>) =>
    Object.assign([1, [2], 0, producer, 'n', null, null, null, 1, 1, 0], change);
  const cases: [unknown, RegExp][] = [
    [1, /not an array/],
    [[], /no kind undefined/],
    [[0], /no kind 0/],
    [['hello'], /no kind "hello"/],
    [[2], /^push-blocks.blocks is missing/],
    [[2, 1], /^push-blocks.blocks is 1, not an array/],
    [[2, [1]], /^push-blocks.blocks\[0\] is 1, not an array/],
    [oneBlock({ 0: -1 }), /blocks\[0\].bucket is -1/],
    [oneBlock({ 0: 1.5 }), /blocks\[0\].bucket is 1.5/],
    [oneBlock({ 0: 2 ** 20 }), /blocks\[0\].bucket is 1048576/],
    [oneBlock({ 1: producer.toUpperCase() }), /blocks\[0\].producer is .*, not 32 lower-case hex digits/],
    [oneBlock({ 1: `${producer}\n` }), /blocks\[0\].producer/],
    [oneBlock({ 1: producer.slice(1) }), /blocks\[0\].producer/],
    [oneBlock({ 2: Number.NaN }), /blocks\[0\].birthMs is NaN/],
    [oneBlock({ 2: Number.POSITIVE_INFINITY }), /blocks\[0\].birthMs is Infinity/],
    [oneBlock({ 3: 0 }), /blocks\[0\].seq is 0, not an integer from 1/],
    [oneBlock({ 3: 2 ** 53 }), /blocks\[0\].seq is 9007199254740992/],
    [oneBlock({ 4: '' }), /blocks\[0\].retires is ""/],
    [oneBlock({ 5: 'now' }), /blocks\[0\].sealedAtMs is "now"/],
    [oneBlock({ 6: -1 }), /blocks\[0\].events is -1/],
    [oneBlock({ 7: 'text' }), /blocks\[0\].payload is "text", not binary/],
    [oneBlock({ 8: 1 }), /blocks\[0\] has 1 fields too many/],
    [[3, '', 1, 1, Buffer.alloc(0)], /push-flush.session is ""/],
    [[3, 's'.repeat(129), 1, 1, Buffer.alloc(0)], /push-flush.session/],
    [[3, 's', 0, 1, Buffer.alloc(0)], /push-flush.number is 0/],
    [[4, [[0, producer, 1, 1, []]]], /ack.answers\[0\].repeat is 1, not true or false/],
    [[4, [[0, producer, 1, true, [['t', 'c', 1, 'bad_value', '']]]]], /rejected\[0\].code is "bad_value"/],
    [[4, [[0, producer, 1, true, [[1, 'c', 1, 'denied', '']]]]], /rejected\[0\].tab is 1/],
    [[11, [[2 ** 32, 'a', 'b']]], /define-tabs.tabs\[0\].id is 4294967296/],
    [[11, [[1, 'a']]], /define-tabs.tabs\[0\].type is missing/],
    [[12, 's', 1, 7, Buffer.alloc(0)], /push-raw.client is 7/],
    [[12, 's', 1, null, [1]], /push-raw.tabs is an array of 1, not binary/],
    [[13, 's', 1, true, 0, 0, 0, [[0, 'odd', '']]], /raw-ack.rejected\[0\].code is "odd"/],
    [nack(5, null), /answers\[0\].kind is 5/],
    [nack(0, null), /answers\[0\].argument is null/],
    [nack(0, 0), /answers\[0\].argument is 0/],
    [nack(1, 0), /answers\[0\].argument is 0, not nil/],
    [nack(2, -1), /answers\[0\].argument is -1/],
    [nack(4, -1), /answers\[0\].argument is -1/],
    [[7, 's', 1, 3, null, null, null], /flush-nack.reason is 3/],
    [[7, 's', 1, 0, 0, null, null], /flush-nack.expected is 0/],
    [[8, 0, '', Buffer.alloc(0)], /query.name is ""/],
    [[10, null, 'c', 'm', null], /error.fatal is null/],
    [[10, null, 'c', 'x'.repeat(8193), true], /error.message/],
    [hello({ 1: ['2'] }), /hello.versions.0 is "2"/],
    [hello({ 2: 3 }), /hello.role is 3/],
    [hello({ 3: 'me' }), /hello.id is "me"/],
    [hello({ 5: 0 }), /hello.bucketCount is 0/],
    [hello({ 6: 'md5' }), /hello.hash is "md5", not one of xxh32/],
    [hello({ 8: 0 }), /hello.maxFrameBytes is 0/],
    [hello({ 10: -1 }), /hello.nowMs is -1/],
  ];
  for (const [value, message] of cases) t.match(refusalOf(packr.pack(value)), message, String(message));
  t.equal(refusalOf(packr.pack(oneBlock({}))), undefined, 'the frame that the cases vary is right');
  t.equal(refusalOf(packr.pack(hello({}))), undefined, 'and the hello, too');
  t.end();
});

t.test('what msgpack can say beyond frames is refused before it is unpacked', (t) => {
  const nested = (depth: number) => new Uint8Array(depth).fill(0x91);
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /cut off after 0 bytes/],
    ['a map', packr.pack({ a: 1 }), /type 0xde/],
    ['a small map', new Uint8Array([0x81, 0xa1, 0x61, 1]), /type 0x81/],
    ['a date', packr.pack(new Date(0)), /type 0xd6/],
    ['an extension', new Uint8Array([0xc7, 0, 0x72]), /type 0xc7/],
    ['the byte that msgpack never uses', new Uint8Array([0xc1]), /type 0xc1/],
    ['200,000 nested arrays', nested(200_000), /nested more than 8 deep/],
    ['an array of 2^32 - 1', new Uint8Array([0xdd, 255, 255, 255, 255]), /cut off/],
    ['an array of 2^32 - 1 within one', new Uint8Array([0x92, 0xdd, 255, 255, 255, 255, 0]), /cut off/],
    ['binary of 4 GB', new Uint8Array([0xc6, 255, 255, 255, 255]), /cut off/],
    ['a text beyond the end', new Uint8Array([0x92, 0x01, 0xa5, 0x61]), /cut off/],
    ['a length that is cut off', new Uint8Array([0xdc, 0]), /cut off/],
    ['a double that is cut off', new Uint8Array([0x91, 0xcb, 0, 0]), /cut off/],
    ['a byte too many', new Uint8Array([0x90, 0]), /1 bytes follow/],
  ];
  for (const [what, bytes, message] of cases) t.match(refusalOf(bytes), message, what);
  t.end();
});

t.test('every frame, cut off anywhere, is refused', (t) => {
  for (const frame of frames) {
    const bytes = encodeFrame(frame);
    const accepted = [...bytes.keys()].filter((length) => refusalOf(bytes.subarray(0, length)) === undefined);
    t.same(accepted, [], frame.kind);
  }
  t.end();
});

t.test('arbitrary and damaged bytes give a frame or bad_framing, nothing else', (t) => {
  const encoded = frames.map(encodeFrame);
  let frameCount = 0;
  const survive = (bytes: Uint8Array) => {
    if (refusalOf(bytes) !== undefined) return;
    frameCount++;
    const frame = decodeFrame(bytes);
    // Whatever was accepted is a frame that can be said again.
    t.strictSame(decodeFrame(encodeFrame(frame)), frame);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survive), { seed: 3, numRuns: 3000 });
  const damage = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...encoded),
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      (bytes, damages) => {
        const damaged = bytes.slice();
        for (const [at, value] of damages) damaged[at % damaged.length] = value;
        survive(damaged);
      },
    ),
    { seed: 4, numRuns: 5000 },
  );
  t.ok(
    frameCount > 50,
    `${frameCount} of the damaged frames were still frames: the test reaches past the guard`,
  );
  t.end();
});

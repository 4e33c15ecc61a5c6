/**
 * Frames of protocol v2 as bytes: each is one msgpack array that begins with the number of its kind. Of msgpack it uses
 * nil (a field that is absent), booleans, numbers, strings, binary and arrays, nothing else. Times are ms UTC, as numbers.
 *
 *      1 hello        versions [integer…] · role 0 sdk, 1 agent, 2 server · id · name · bucketCount? · hash? · generation?
 *                     · maxFrameBytes · maxInFlight · nowMs
 *      2 push-blocks  [[bucket, producer, birthMs, seq, retires?, sealedAtMs, events, payload]…]
 *      3 push-flush   session · number · events · payload
 *      4 ack          [[bucket, producer, seq, repeat, rejected]…]
 *      5 nack         [[bucket, producer, seq, kind, argument?]…]: 0 expects (seq), 1 not owner, 2 busy (retryAfterMs),
 *                     3 unknown producer, 4 closed (seq)
 *      6 flush-ack    session · number · rejected · pauseMs?
 *      7 flush-nack   session · number · reason 0 gap, 1 busy, 2 refused · expected? · retryAfterMs? · message?
 *      8 query        id · name · body
 *      9 result       id · body · last
 *     10 error        id? · code · message · fatal
 *     11 define-tabs  [[id, name, type]…]
 *     12 push-raw     session · number · client? · tabs · counts · seconds · values: columns in binary, see raw-columns.ts
 *     13 raw-ack      session · number · repeat · accepted · clamped · rejectedTotal · [[index, code, message]…]
 *
 * `rejected` is [[tab, client, events, code, message]…]; ids are 32 lower-case hex digits; payloads and bodies are binary.
 *
 * A frame that is anything else is `bad_framing`, which ends its connection: what follows cannot be trusted to line up.
 * Only `hello` may have more fields than these, so that a later version can say more and still be understood; everything
 * else stays as it is under version 2.
 */
import type { AddressedAnswer, Answer, Block, BlockRejection } from '../core/block.js';
import { TabaError } from '../core/errors.js';
import type { BucketIndex, Seq } from '../core/ids.js';
import { Fields } from './fields.js';
import type { Fault, Frame, Hello } from './frame.js';
import { type Codec, clipped, maxSessionLength, present } from './frame-fields.js';
import { type Packed, pack, plain, unpack } from './msgpack.js';
import { rawCodecs } from './raw-frames.js';

/** Far above any sensible number of buckets. */
const maxBucket = 2 ** 20 - 1;

const roles = ['sdk', 'agent', 'server'] as const;
const hashes = ['xxh32'] as const;
const nackKinds = ['expects', 'not_owner', 'busy', 'unknown_producer', 'closed'] as const;
const flushNackReasons = ['gap', 'busy', 'refused'] as const;
const rejectionCodes = [
  'type_conflict',
  'unknown_type',
  'too_many_tabs',
  'too_many_clients',
  'too_many_states',
  'denied',
  'corrupt',
] as const satisfies readonly BlockRejection['code'][];

const codecs: { readonly [K in Frame['kind']]: Codec<Extract<Frame, { kind: K }>> } = {
  hello: { code: 1, encode: encodeHello, decode: decodeHello },
  'push-blocks': {
    code: 2,
    encode: ({ blocks }) => [blocks.map(encodeBlock)],
    decode: (fields) => ({ kind: 'push-blocks', blocks: fields.list('blocks', decodeBlock) }),
  },
  'push-flush': {
    code: 3,
    encode: ({ session, number, events, payload }) => [session, number, events, plain(payload)],
    decode: (fields) => ({
      kind: 'push-flush',
      session: fields.text('session', 1, maxSessionLength),
      number: fields.integer('number', 1),
      events: fields.amount('events'),
      payload: fields.bytes('payload'),
    }),
  },
  ack: {
    code: 4,
    encode: ({ answers }) => [answers.map(encodeAck)],
    decode: (fields) => ({ kind: 'ack', answers: fields.list('answers', decodeAck) }),
  },
  nack: {
    code: 5,
    encode: ({ answers }) => [answers.map(encodeNack)],
    decode: (fields) => ({ kind: 'nack', answers: fields.list('answers', decodeNack) }),
  },
  'flush-ack': {
    code: 6,
    encode: ({ session, number, rejected, pauseMs }) => [
      session,
      number,
      rejected.map(encodeRejection),
      pauseMs ?? null,
    ],
    decode: (fields) => ({
      kind: 'flush-ack',
      session: fields.text('session', 1, maxSessionLength),
      number: fields.integer('number', 1),
      rejected: fields.list('rejected', decodeRejection),
      ...present(
        'pauseMs',
        fields.optional((one) => one.amount('pauseMs')),
      ),
    }),
  },
  'flush-nack': {
    code: 7,
    encode: (frame) => [
      frame.session,
      frame.number,
      flushNackReasons.indexOf(frame.reason),
      frame.expected ?? null,
      frame.retryAfterMs ?? null,
      frame.message === undefined ? null : clipped(frame.message),
    ],
    decode: (fields) => ({
      kind: 'flush-nack',
      session: fields.text('session', 1, maxSessionLength),
      number: fields.integer('number', 1),
      reason: fields.choice('reason', flushNackReasons),
      ...present(
        'expected',
        fields.optional((one) => one.integer('expected', 1)),
      ),
      ...present(
        'retryAfterMs',
        fields.optional((one) => one.amount('retryAfterMs')),
      ),
      ...present(
        'message',
        fields.optional((one) => one.text('message')),
      ),
    }),
  },
  query: {
    code: 8,
    encode: ({ id, name, body }) => [id, name, plain(body)],
    decode: (fields) => ({
      kind: 'query',
      id: fields.integer('id'),
      name: fields.text('name', 1),
      body: fields.bytes('body'),
    }),
  },
  result: {
    code: 9,
    encode: ({ id, body, last }) => [id, plain(body), last],
    decode: (fields) => ({
      kind: 'result',
      id: fields.integer('id'),
      body: fields.bytes('body'),
      last: fields.flag('last'),
    }),
  },
  error: { code: 10, encode: encodeFault, decode: decodeFault },
  ...rawCodecs,
};

const codecByCode = new Map(Object.entries(codecs).map(([kind, codec]) => [codec.code, { kind, codec }]));

export function encodeFrame(frame: Frame): Uint8Array {
  const codec = codecs[frame.kind] as Codec<Frame>;
  return pack([codec.code, ...codec.encode(frame)]);
}

/**
 * The frame shares no memory with `bytes`.
 *
 * @throws TabaError `bad_framing`, naming the field
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const values = unpack(bytes);
  if (!Array.isArray(values)) throw new TabaError('bad_framing', 'not a frame: not an array');
  const row = codecByCode.get(values[0]);
  if (row === undefined)
    throw new TabaError('bad_framing', `not a frame: no kind ${JSON.stringify(values[0])}`);
  const fields = new Fields(values, row.kind, 1);
  const frame = row.codec.decode(fields);
  if (frame.kind !== 'hello') fields.end();
  return frame;
}

function encodeHello(hello: Hello): Packed[] {
  return [
    hello.versions,
    roles.indexOf(hello.role),
    hello.id,
    hello.name,
    hello.bucketCount ?? null,
    hello.hash ?? null,
    hello.generation ?? null,
    hello.maxFrameBytes,
    hello.maxInFlight,
    hello.nowMs,
  ];
}

function decodeHello(fields: Fields): Hello {
  return {
    kind: 'hello',
    versions: fields.integers('versions'),
    role: fields.choice('role', roles),
    id: fields.hexId('id'),
    name: fields.text('name'),
    ...present(
      'bucketCount',
      fields.optional((one) => one.integer('bucketCount', 1, maxBucket + 1)),
    ),
    ...present(
      'hash',
      fields.optional((one) => one.word('hash', hashes)),
    ),
    ...present(
      'generation',
      fields.optional((one) => one.integer('generation')),
    ),
    maxFrameBytes: fields.integer('maxFrameBytes', 1),
    maxInFlight: fields.integer('maxInFlight', 1),
    nowMs: fields.amount('nowMs'),
  };
}

function encodeBlock(block: Block): Packed[] {
  return [
    block.bucket,
    block.producer,
    block.birthMs,
    block.seq,
    block.retires ?? null,
    block.sealedAtMs,
    block.events,
    plain(block.payload),
  ];
}

function decodeBlock(fields: Fields): Block {
  return {
    bucket: fields.integer('bucket', 0, maxBucket) as BucketIndex,
    producer: fields.producer('producer'),
    birthMs: fields.amount('birthMs'),
    seq: fields.integer('seq', 1) as Seq,
    ...present(
      'retires',
      fields.optional((one) => one.producer('retires')),
    ),
    sealedAtMs: fields.amount('sealedAtMs'),
    events: fields.amount('events'),
    payload: fields.bytes('payload'),
  };
}

function encodeRejection(rejection: BlockRejection): Packed[] {
  return [rejection.tab, rejection.client, rejection.events, rejection.code, clipped(rejection.message)];
}

function decodeRejection(fields: Fields): BlockRejection {
  return {
    tab: fields.text('tab'),
    client: fields.text('client'),
    events: fields.amount('events'),
    code: fields.word('code', rejectionCodes),
    message: fields.text('message'),
  };
}

function encodeAck({ bucket, producer, seq, answer }: AddressedAnswer): Packed[] {
  if (answer.kind !== 'acknowledged')
    throw new RangeError(`${answer.kind} does not belong into an ack frame`);
  return [bucket, producer, seq, answer.repeat, answer.rejected.map(encodeRejection)];
}

function decodeAck(fields: Fields): AddressedAnswer {
  return {
    ...decodeAddress(fields),
    answer: {
      kind: 'acknowledged',
      repeat: fields.flag('repeat'),
      rejected: fields.list('rejected', decodeRejection),
    },
  };
}

function encodeNack({ bucket, producer, seq, answer }: AddressedAnswer): Packed[] {
  if (answer.kind === 'acknowledged') throw new RangeError('acknowledged does not belong into a nack frame');
  const argument = 'seq' in answer ? answer.seq : answer.kind === 'busy' ? answer.retryAfterMs : null;
  return [bucket, producer, seq, nackKinds.indexOf(answer.kind), argument];
}

function decodeNack(fields: Fields): AddressedAnswer {
  return { ...decodeAddress(fields), answer: decodeRefusal(fields) };
}

function decodeRefusal(fields: Fields): Answer {
  const kind = fields.choice('kind', nackKinds);
  switch (kind) {
    case 'expects':
      return { kind, seq: fields.integer('argument', 1) as Seq };
    case 'closed':
      // 0: nothing of the producer was acknowledged before the bucket moved.
      return { kind, seq: fields.integer('argument') as Seq };
    case 'busy':
      return { kind, retryAfterMs: fields.amount('argument') };
    case 'not_owner':
    case 'unknown_producer':
      fields.nil('argument');
      return { kind };
  }
}

function decodeAddress(fields: Fields): Omit<AddressedAnswer, 'answer'> {
  return {
    bucket: fields.integer('bucket', 0, maxBucket) as BucketIndex,
    producer: fields.producer('producer'),
    seq: fields.integer('seq', 1) as Seq,
  };
}

function encodeFault(fault: Fault): Packed[] {
  return [fault.id ?? null, fault.code, clipped(fault.message), fault.fatal];
}

function decodeFault(fields: Fields): Fault {
  return {
    kind: 'error',
    ...present(
      'id',
      fields.optional((one) => one.integer('id')),
    ),
    code: fields.text('code', 1),
    message: fields.text('message'),
    fatal: fields.flag('fatal'),
  };
}

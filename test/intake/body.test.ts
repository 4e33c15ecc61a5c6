import { deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { defaultNaming } from '../../src/intake/otlp/points.js';
import {
  type IntakePath,
  type IntakeProtocol,
  intakePaths,
  intakeProtocols,
} from '../../src/intake/protocol.js';
import type { RawEvent } from '../../src/wire/item-sink.js';
import { encodeV1 } from '../../src/wire/v1.js';
import { type Item, itemsOf, utf8 } from '../wire/collector.js';

const v1 = encodeV1([{ client: 'c', tab: 'a', type: 'CounterGroup', timestampSec: 1, payload: 2 }]);
const v1Item = { client: 'c', tab: 'a', type: 'CounterGroup', timestampSec: 1, payload: 2 };
const json = utf8('{"name": "a", "value": 2}');
const jsonItem = { client: undefined, tab: 'a', type: 'CounterGroup', timestampSec: undefined, payload: 2 };

async function read(
  path: IntakePath,
  body: Uint8Array,
  contentEncoding?: string,
  maxDecompressedBytes = 1e6,
): Promise<Item[]> {
  const { read: readBody }: IntakeProtocol = intakeProtocols[path];
  const headers = new Map(contentEncoding === undefined ? [] : [['content-encoding', contentEncoding]]);
  const limits = { maxDecompressedBytes, maxNameBytes: 1024 };
  const { items } = await readBody({ headers, body }, { limits, naming: defaultNaming });
  return itemsOf(items);
}

t.test('each route has its protocol', async (t) => {
  t.strictSame(intakePaths, ['/post', '/post_zip', '/events', '/v1/metrics']);
  t.strictSame(await read('/post', v1), [v1Item]);
  t.strictSame(await read('/post_zip', deflateSync(v1)), [v1Item]);
  t.strictSame(await read('/events', json), [jsonItem]);
});

t.test('content encodings', async (t) => {
  t.strictSame(await read('/post', gzipSync(v1), 'gzip'), [v1Item]);
  t.strictSame(await read('/events', gzipSync(json), ' X-GZip '), [jsonItem]);
  t.strictSame(await read('/events', deflateSync(json), 'deflate'), [jsonItem]);
  t.strictSame(await read('/events', json, 'identity'), [jsonItem]);
  t.strictSame(await read('/post_zip', deflateSync(v1), 'deflate'), [v1Item], 'said twice, done once');
  t.strictSame(await read('/post_zip', gzipSync(deflateSync(v1)), 'gzip'), [v1Item]);
  await t.rejects(read('/events', json, 'br'), { code: 'bad_framing', message: /"br"/ });
  await t.rejects(read('/events', json, '__proto__'), { code: 'bad_framing' });
});

t.test('compressed bytes that are broken, cut off or followed by others are refused', async (t) => {
  for (const [encoding, body] of [
    ['deflate', deflateSync(json)],
    ['gzip', gzipSync(json)],
  ] as const) {
    await t.rejects(
      read('/events', new Uint8Array(0), encoding),
      { code: 'bad_framing' },
      `${encoding}: empty`,
    );
    await t.rejects(read('/events', json, encoding), { code: 'bad_framing' }, `${encoding}: not compressed`);
    for (let length = 1; length < body.length; length++) {
      const cut = read('/events', body.subarray(0, length), encoding);
      await t.rejects(cut, { code: 'bad_framing' }, `${encoding}: ${length} bytes`);
    }
    const checksum = Buffer.from(body);
    checksum[body.length - (encoding === 'gzip' ? 5 : 1)]! ^= 1;
    await t.rejects(
      read('/events', checksum, encoding),
      { code: 'bad_framing' },
      `${encoding}: wrong checksum`,
    );
    const more = read('/events', Buffer.concat([body, utf8('more')]), encoding);
    await t.rejects(more, { code: 'bad_framing' }, `${encoding}: bytes behind the end`);
  }
});

t.test('a bomb is refused as soon as it is larger than allowed', async (t) => {
  const bomb = deflateSync(Buffer.alloc(50_000_000, 0x20));
  t.ok(bomb.length < 100_000);
  for (const [path, encoding] of [
    ['/post_zip', undefined],
    ['/events', 'deflate'],
  ] as const) {
    await t.rejects(read(path, bomb, encoding), {
      code: 'body_too_large',
      message: /more than 1000000 bytes/,
    });
  }
  t.strictSame(
    await read('/events', deflateSync(json), 'deflate', json.length),
    [jsonItem],
    'the limit itself',
  );
  await t.rejects(read('/events', deflateSync(json), 'deflate', json.length - 1), { code: 'body_too_large' });
});

t.test('bodies of every size decompress whole, and none to more than is allowed', async (t) => {
  // What compresses well, and what does not: either side of what is decompressed here, and of what goes elsewhere at once.
  const texts = [
    'a'.repeat(2 ** 20 - 20),
    'a'.repeat(2 ** 20 + 20),
    Array.from({ length: 40_000 }, (_, index) => (index * 2654435761) >>> 0).join(' '),
  ];
  for (const text of texts) {
    const plain = utf8(JSON.stringify({ name: 'a', type: 'Gauge', value: text }));
    for (const [encoding, body] of [
      ['deflate', deflateSync(plain)],
      ['gzip', gzipSync(plain)],
    ] as const) {
      const what = `${encoding}: ${body.length} bytes for ${plain.length}`;
      const items = await read('/events', body, encoding, plain.length);
      t.match(items, [{ tab: 'a' }], what);
      t.ok((items[0] as RawEvent).payload === text, what);
      await t.rejects(read('/events', body, encoding, plain.length - 1), { code: 'body_too_large' }, what);
      await t.rejects(
        read('/events', body.subarray(0, -1), encoding, 2 ** 21),
        { code: 'bad_framing' },
        what,
      );
      const longer = Buffer.concat([body, Buffer.of(0)]);
      await t.rejects(read('/events', longer, encoding, 2 ** 21), { code: 'bad_framing' }, what);
    }
  }
});

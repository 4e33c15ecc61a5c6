import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../src/core/bytes.js';
import type { Handler } from '../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { TabType } from '../../src/core/ids.js';
import { xxHash32 } from '../../src/core/xxhash32.js';
import {
  beginState,
  decodeState,
  encodeState,
  examineState,
  isOutdated,
  sealState,
} from '../../src/wire/state.js';
import { hexOf, probeHandler, withBitFlipped } from './probe-handler.js';

const probe = probeHandler();

/** `content` with the checksum that belongs to it. */
function sealed(...content: number[]): Uint8Array {
  const bytes = new Uint8Array(content.length + 4);
  bytes.set(content);
  new DataView(bytes.buffer).setUint32(content.length, xxHash32(bytes.subarray(0, content.length)), true);
  return bytes;
}

t.test('golden bytes', (t) => {
  t.equal(hexOf(encodeState(probe, { sum: -2 })), '010203c4789cf5');
  t.end();
});

t.test('what was encoded decodes to the same', (t) => {
  fc.assert(
    fc.property(fc.integer(), (sum) => {
      t.same(decodeState(probe, encodeState(probe, { sum })), { sum });
    }),
    { seed: 1, numRuns: 50 },
  );
  t.end();
});

t.test('any flipped bit and any truncation is corrupt', (t) => {
  const bytes = encodeState(probe, { sum: 123456789 });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    t.throws(() => decodeState(probe, withBitFlipped(bytes, bit)), { code: 'corrupt' }, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => decodeState(probe, bytes.subarray(0, length)), { code: 'corrupt' }, `${length} bytes`);
  }
  t.throws(() => decodeState(probe, new Uint8Array([...bytes, 0])), { code: 'corrupt' }, 'one byte more');
  t.end();
});

t.test('a right checksum over wrong content is corrupt all the same', (t) => {
  t.throws(() => decodeState(probe, sealed()), { code: 'corrupt', message: /too few for its header/ });
  t.throws(() => decodeState(probe, sealed(1)), { code: 'corrupt', message: /too few for its header/ });
  t.throws(() => decodeState(probe, sealed(2, 2, 0)), { code: 'corrupt', message: /format version 2/ });
  t.throws(() => decodeState(probe, sealed(1, 2)), { code: 'corrupt', message: /more bytes are due/ });
  t.throws(() => decodeState(probe, sealed(1, 2, 0, 0)), { code: 'corrupt', message: /1 bytes left over/ });
  t.end();
});

t.test('an older Handler version is upgraded, a newer one and version 0 are refused', (t) => {
  t.equal(decodeState(probe, sealed(1, 1, 12)).sum, 3);
  t.throws(() => decodeState(probe, sealed(1, 3, 12)), {
    code: 'corrupt',
    message: 'written by version 3 of Probe; this node knows versions 1 to 2',
  });
  t.throws(() => decodeState(probe, sealed(1, 0, 12)), { code: 'corrupt', message: /version 0/ });
  t.equal(isOutdated(probe, sealed(1, 1, 12)), true);
  t.equal(isOutdated(probe, encodeState(probe, { sum: 3 })), false);
  t.end();
});

t.test('whatever a Handler throws at odd bytes becomes corrupt', (t) => {
  const brittle: Handler = {
    ...probeHandler(),
    decode: () => {
      throw new RangeError('Invalid array length');
    },
  } as unknown as Handler;
  t.throws(() => decodeState(brittle, sealed(1, 2, 0)), { code: 'corrupt', message: /Invalid array length/ });
  t.end();
});

t.test('a State is examined without being made, and sealed again as it was', (t) => {
  const handler = builtinHandlers().get('TotalsCounter' as TabType)!;
  const state = handler.newState();
  handler.fold(state, 2, { timestampSec: 9, sequence: 0 });
  const bytes = encodeState(handler, state);
  const encoded = examineState(handler, bytes)!;
  const out = new ByteWriter();
  out.u8(255);
  beginState(handler, out);
  new ByteReader(encoded).copyRest(out);
  t.equal(hexOf(sealState(out)), hexOf(bytes));
  t.equal(examineState(probe, encodeState(probe, { sum: 1 })), undefined, 'one that only decoding tells of');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    t.throws(() => examineState(handler, withBitFlipped(bytes, bit)), { code: 'corrupt' }, `bit ${bit}`);
  }
  t.end();
});

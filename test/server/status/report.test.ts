import t from 'tap';
import { decodeReport, encodeReport } from '../../../src/server/status/report.js';
import { pack, unpack } from '../../../src/wire/msgpack.js';
import { reportOf } from './status-kit.js';

t.test('a report comes through as it was, in few bytes', async (t) => {
  for (const report of [reportOf(), { ...reportOf(3), waitingFor: 'the store: no space left on device' }]) {
    const bytes = encodeReport(report);
    t.strictSame(decodeReport(bytes), report);
    t.ok(bytes.length < 400, `${bytes.length} bytes`);
  }
});

t.test('a report of another version, or of none, is refused', async (t) => {
  const packed = unpack(encodeReport(reportOf())) as readonly never[];
  t.throws(() => decodeReport(pack(packed.with(0, 2 as never))), { code: 'unsupported_version' });
  t.throws(() => decodeReport(pack(packed.slice(0, -1))), { code: 'bad_framing' });
  t.throws(() => decodeReport(pack([...packed, 1])), { code: 'bad_framing' });
  t.throws(() => decodeReport(new Uint8Array()), { code: 'bad_framing' });
});

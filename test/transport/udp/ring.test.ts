import fc from 'fast-check';
import t from 'tap';
import { RingReader, RingWriter, ringOf } from '../../../src/transport/inbound/udp/ring.js';

interface Taken {
  readonly text: string;
  readonly address: string;
  readonly port: number;
}

/** Room for three of the longest records. */
const ringBytes = 3 * 66_000;

function ring() {
  const memory = ringOf(ringBytes);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  return {
    /** @returns whether there was room */
    add(text: string, address = '', port = 0): boolean {
      const at = writer.room(address, port);
      if (at < 0) return false;
      writer.add(writer.bytes.write(text, at, 'latin1'));
      return true;
    },
    drain(): Taken[] {
      const taken: Taken[] = [];
      reader.drain((bytes, start, end, address, port) => {
        taken.push({ text: Buffer.from(bytes.subarray(start, end)).toString('latin1'), address, port });
      });
      return taken;
    },
  };
}

t.test('datagrams come out as they went in, with their senders where they are known', (t) => {
  const { add, drain } = ring();
  t.same(drain(), []);
  t.ok(add('a:1|c', '192.0.2.1', 65_535));
  t.ok(add(''));
  t.ok(add('longer than a word', 'fe80::1ff:fe23:4567:890a%eth2', 1));
  t.same(drain(), [
    { text: 'a:1|c', address: '192.0.2.1', port: 65_535 },
    { text: '', address: '', port: 0 },
    { text: 'longer than a word', address: 'fe80::1ff:fe23:4567:890a%eth2', port: 1 },
  ]);
  t.same(drain(), []);
  t.end();
});

t.test('a full ring refuses until something is taken, and nothing of it is lost', (t) => {
  const { add, drain } = ring();
  const longest = 'x'.repeat(RingWriter.maxDatagramBytes);
  let added = 0;
  while (add(longest)) added++;
  t.equal(added, 3);
  t.notOk(add(''), 'there has to be room for any');
  t.same(
    drain().map(({ text }) => text === longest),
    [true, true, true],
  );
  t.ok(add('again'));
  t.match(drain(), [{ text: 'again' }]);
  t.end();
});

t.test('a burst has the whole ring, wherever what was taken before it ended', (t) => {
  const { add, drain } = ring();
  const longest = 'x'.repeat(RingWriter.maxDatagramBytes);
  for (const before of [1, 20_000, 65_000]) {
    t.ok(add('x'.repeat(before)));
    t.equal(drain().length, 1);
    t.same([add(longest), add(longest), add(longest), add('')], [true, true, true, false], `${before} bytes`);
    t.equal(drain().length, 3);
  }
  t.end();
});

t.test('an address that is too long is cut, and the datagram is whole', (t) => {
  const { add, drain } = ring();
  t.ok(add('a:1|c', 'x'.repeat(100), 7));
  t.same(drain(), [{ text: 'a:1|c', address: 'x'.repeat(RingWriter.maxAddressBytes), port: 7 }]);
  t.end();
});

t.test('whoever writes and reads in turns, however much: first in, first out', (t) => {
  const datagram = fc.record({
    bytes: fc.oneof(fc.nat(40), fc.nat(2000), fc.nat(65_507)),
    address: fc.constantFrom('', '127.0.0.1'),
  });
  const step = fc.oneof({ weight: 4, arbitrary: datagram }, { weight: 1, arbitrary: fc.constant('drain') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { add, drain } = ring();
      let expected: string[] = [];
      const drained = (): void => {
        const got = drain().map(({ text, address }) => `${address} ${text.length} ${text.slice(0, 6)}`);
        if (got.join() !== expected.join()) throw new Error(`${got.join()} instead of ${expected.join()}`);
        expected = [];
      };
      for (const [index, one] of steps.entries()) {
        if (typeof one === 'string') {
          drained();
          continue;
        }
        const text = String(index).padEnd(one.bytes, '.').slice(0, one.bytes);
        const line = `${one.address} ${text.length} ${text.slice(0, 6)}`;
        if (add(text, one.address)) expected.push(line);
        else if (expected.length === 0) throw new Error('no room in an empty ring');
      }
      drained();
    }),
  );
  t.end();
});

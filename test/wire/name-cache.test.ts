import fc from 'fast-check';
import t from 'tap';
import { NameCache } from '../../src/wire/name-cache.js';

const name = fc.string({ unit: fc.constantFrom(...'abz059._~:/'), minLength: 1, maxLength: 140 });

t.test('finds what it keeps, and nothing else', async () => {
  const cache = new NameCache();
  fc.assert(
    fc.property(fc.array(name, { maxLength: 20 }), name, (kept, other) => {
      for (const one of [...kept, other]) {
        const bytes = Buffer.from(`<${one}>`, 'latin1');
        const found = cache.find(bytes, 1, bytes.length - 1);
        if (found !== undefined && found !== one) return false;
        cache.keep(one, bytes, 1, bytes.length - 1);
        // A long one is not kept.
        if (cache.find(bytes, 1, bytes.length - 1) !== (one.length > 128 ? undefined : one)) return false;
      }
      return true;
    }),
  );
});

t.test('most of as many names as a busy node has are there the next time', (t) => {
  const cache = new NameCache();
  const names = Array.from({ length: 30_000 }, (_, tab) => `service.requests.${tab}.count`);
  const bytes = names.map((one) => Buffer.from(one));
  for (const [index, one] of names.entries()) cache.keep(one, bytes[index]!, 0, one.length);
  const found = names.filter((one, index) => cache.find(bytes[index]!, 0, one.length) === one);
  t.ok(found.length > 24_000, `${found.length} of ${names.length}`);
  t.end();
});

import fc from 'fast-check';
import t from 'tap';
import { Listing } from '../../src/wire/listing.js';

t.test('lists each value once, ascending, whether there are few or many', async () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 60 }), (values) => {
      const listing = new Listing<string>();
      for (const value of values) listing.add(value);
      const listed = listing.close();
      const expected = [...new Set(values)].sort();
      if (listed.join('\n') !== expected.join('\n')) throw new Error(`${listed} of ${values}`);
      for (const value of values) {
        if (listed[listing.indexOf(value)] !== value) throw new Error(`${value} is not where it should be`);
      }
    }),
  );
});

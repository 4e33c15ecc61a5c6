import t from 'tap';
import { CountPages } from '../../../src/core/gather/count-pages.js';

t.test('room is given up when little of it was of use lately, and never while most of it is', (t) => {
  const pages = new CountPages(2 ** 12);
  t.equal(pages.isCrowdedBy(0), false, 'there is room');
  let laidOut = 0;
  while (laidOut <= 2 ** 11) laidOut += pages.make(500)!.size;
  t.equal(pages.isCrowdedBy(laidOut), false, 'everything is in use');
  t.equal(pages.isCrowdedBy(laidOut / 4), false);
  t.equal(pages.isCrowdedBy(laidOut / 4 - 1), true);
  pages.clear();
  t.equal(pages.isCrowdedBy(0), false);
  t.end();
});

import t from 'tap';
import { SecondColumns } from '../../../src/core/gather/second-columns.js';

const options = { maxSeconds: 2, maxCounts: 2 ** 14, maxSpareRows: 2 ** 12 };

/** Everything that waits, as `second row count total`. */
function drained(columns: SecondColumns): string[] {
  const rows: string[] = [];
  columns.drain((second, row, { count, total }) => rows.push(`${second} ${row} ${count} ${total}`));
  return rows;
}

t.test('keeps seconds apart, and gives out the oldest first', (t) => {
  const columns = new SecondColumns(options);
  columns.of(8).add(0, 1, 1);
  columns.of(7).add(0, 2, 1);
  columns.of(8).add(0, 4, 1);
  columns.of(7).add(5, 8, 1);
  t.equal(columns.events, 4);
  t.strictSame(drained(columns), ['7 0 1 2', '7 5 1 8', '8 0 2 5']);
  t.equal(columns.events, 0);
  t.strictSame(drained(columns), []);
  t.end();
});

t.test('says which seconds fit beside those that wait', (t) => {
  const columns = new SecondColumns(options);
  t.ok(columns.fits([1, 2]));
  t.notOk(columns.fits([1, 2, 3]));
  columns.of(1).add(0, 1, 1);
  t.ok(columns.fits([1, 2]));
  t.notOk(columns.fits([2, 3]));
  drained(columns);
  t.ok(columns.fits([2, 3]));
  t.end();
});

t.test('columns are used again, empty, however large they were', (t) => {
  const columns = new SecondColumns(options);
  for (const rows of [10, 10_000, 10]) {
    for (let row = 0; row < rows; row++) columns.of(1).add(row, row, 1);
    t.equal(drained(columns).length, rows);
  }
  t.end();
});

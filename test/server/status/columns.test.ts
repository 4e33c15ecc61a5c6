import t from 'tap';
import { columns, named } from '../../../src/server/status/columns.js';

t.test('text stands to the left, figures to the right', async (t) => {
  const table = columns(
    ['server', 'up', 'waiting for'],
    [
      ['127.0.0.1:8300', '7 s', ''],
      ['b:1', '120 min', 'the store'],
    ],
  );
  t.equal(
    table,
    'server               up  waiting for\n127.0.0.1:8300      7 s\nb:1             120 min  the store\n',
  );
  t.equal(columns(['server'], []), 'server\n');
});

t.test('names, and their values below each other', async (t) => {
  t.equal(
    named([
      ['a', '1'],
      ['long', '2'],
      ['', 'more'],
    ]),
    'a     1\nlong  2\n      more\n',
  );
});

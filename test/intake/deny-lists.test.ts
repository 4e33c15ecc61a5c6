import t from 'tap';
import { DenyLists, noDenyLists } from '../../src/intake/deny-lists.js';
import { client, tab } from './node.js';

const lists = (names: string[], clients: string[] = []) =>
  new DenyLists({ names, clients, maxExpressionBytes: 64 });

t.test('expressions match from the beginning of a name, not only the whole of it', (t) => {
  const denied = lists(['abc', 'x.*z$', '(?i)upper']);
  const denies = (name: string) => denied.deniesTab(tab(name));
  t.equal(denies('abc'), true);
  t.equal(denies('abcdef'), true);
  t.equal(denies('zabc'), false);
  t.equal(denies('xyz'), true);
  t.equal(denies('xyzy'), false);
  t.equal(denies('UPPER_case'), true);
  t.equal(denies('ABC'), false, 'flags end with their expression');
  t.end();
});

t.test('an alternative belongs to its own expression', (t) => {
  const denied = lists(['a|b', 'c']);
  t.strictSame(
    ['a', 'b', 'c', 'xb', 'xc'].map((name) => denied.deniesTab(tab(name))),
    [true, true, true, false, false],
  );
  t.end();
});

t.test('tabs and clients have a list each', (t) => {
  const denied = lists(['a'], ['b']);
  t.strictSame([denied.deniesTab(tab('a')), denied.deniesTab(tab('b'))], [true, false]);
  t.strictSame([denied.deniesClient(client('a')), denied.deniesClient(client('b'))], [false, true]);
  t.equal(noDenyLists.deniesTab(tab('a')), false);
  t.equal(noDenyLists.deniesClient(client('a')), false);
  t.end();
});

t.test('a hostile expression takes no time to speak of', (t) => {
  t.equal(lists(['(a*)*(a*)*(a*)*b$']).deniesTab(tab('a'.repeat(1024))), false);
  t.end();
});

t.test('a broken expression is named, with its list', (t) => {
  t.throws(() => lists(['(']), { code: 'bad_setting', message: /^name-denylist: "\(" is not/ });
  t.throws(() => lists([], ['a', '[z']), { code: 'bad_setting', message: /^client-denylist: "\[z" is not/ });
  t.throws(() => lists(['(?=a)']), { code: 'bad_setting' }, 'RE2 has no look-around');
  t.throws(() => lists(['a)|(b']), { code: 'bad_setting' }, 'valid only by what surrounds it');
  t.throws(() => lists(['ü'.repeat(33)]), { code: 'bad_setting', message: /66 bytes; 64 are allowed/ });
  t.end();
});

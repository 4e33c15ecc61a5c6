import t from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import { DenyLists } from '../../../src/intake/deny-lists.js';
import { DictionaryRoom, TabDictionary } from '../../../src/intake/raw/dictionary.js';
import { contextWith } from '../node.js';

const { registry, limits, deny } = contextWith();
const options = { registry, limits: { ...limits, maxTabs: 6 }, deny };

function codeOf(dictionary: TabDictionary, id: number): string {
  const found = dictionary.get(id);
  return found instanceof TabaError ? found.code : found.name;
}

t.test('what cannot be used is remembered as the fault of its events', (t) => {
  const denying = new DenyLists({ names: ['secret'], clients: [], maxExpressionBytes: 100 });
  const dictionary = new TabDictionary(new DictionaryRoom(), { ...options, deny: denying });
  dictionary.define([
    { id: 0, name: 'good', type: 'TotalsCounter' },
    { id: 1, name: 'not good', type: 'TotalsCounter' },
    { id: 2, name: 'x'.repeat(1025), type: 'TotalsCounter' },
    { id: 3, name: 'odd', type: 'Nothing' },
    { id: 4, name: 'words', type: 'Gauge' },
    { id: 2 ** 32 - 1, name: 'secret', type: 'CounterGroup' },
  ]);
  t.same(dictionary.get(0), { name: 'good', type: 'TotalsCounter' });
  t.same(
    [1, 2, 3, 4, 2 ** 32 - 1, 5].map((id) => codeOf(dictionary, id)),
    ['bad_name', 'bad_name', 'unknown_type', 'bad_value', 'denied', 'bad_event'],
  );
  t.end();
});

t.test('a number stands for one tab, however often that is said', (t) => {
  const dictionary = new TabDictionary(new DictionaryRoom(), options);
  const tab = { id: 1, name: 'a', type: 'CounterGroup' };
  dictionary.define([tab]);
  dictionary.define([tab, { ...tab, id: 2 }]);
  t.equal(codeOf(dictionary, 2), 'a');
  t.throws(() => dictionary.define([{ ...tab, name: 'b' }]), { code: 'bad_framing' });
  t.throws(() => dictionary.define([{ ...tab, type: 'TotalsCounter' }]), { code: 'bad_framing' });
  t.equal(codeOf(dictionary, 1), 'a');
  t.end();
});

t.test('there is room for so many tabs of a connection, and for so many bytes of all', (t) => {
  const room = new DictionaryRoom();
  const dictionary = new TabDictionary(room, options);
  const many = Array.from({ length: 7 }, (_, id) => ({ id, name: `t${id}`, type: 'CounterGroup' }));
  dictionary.define(many);
  t.same(
    many.map(({ id }) => codeOf(dictionary, id)),
    ['t0', 't1', 't2', 't3', 't4', 't5', 'too_many_tabs'],
  );
  const taken = room.bytes;
  t.ok(taken > 6 * 14);
  t.ok(room.tryTake(64 * 2 ** 20 - taken));
  const late = new TabDictionary(room, options);
  late.define(many.slice(0, 1));
  t.equal(codeOf(late, 0), 'too_many_tabs');
  dictionary.clear();
  late.clear();
  t.equal(room.bytes, 64 * 2 ** 20 - taken, 'what a connection took is given back');
  t.end();
});

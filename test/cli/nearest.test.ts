import t from 'tap';
import { didYouMean, nearest } from '../../src/cli/nearest.js';

const words = ['max-tabs', 'max-clients', 'spool', 'spool-fsync', 'agg'];

t.test('the nearest word, for each kind of slip', (t) => {
  t.equal(nearest('max-tab', words), 'max-tabs', 'a letter missing');
  t.equal(nearest('max-tabss', words), 'max-tabs', 'a letter too many');
  t.equal(nearest('max-tubs', words), 'max-tabs', 'a wrong letter');
  t.equal(nearest('amx-tabs', words), 'max-tabs', 'neighbours swapped');
  t.equal(nearest('MAX-TABS', words), 'max-tabs', 'another case');
  t.equal(nearest('spol', words), 'spool');
  t.end();
});

t.test('nothing is near to a word that means something else', (t) => {
  t.equal(nearest('colour', words), undefined);
  t.equal(nearest('x', words), undefined);
  t.equal(didYouMean('colour', words), '');
  t.equal(didYouMean('agr', words), ' (did you mean agg?)');
  t.end();
});

import t from 'tap';
import { TextCache } from '../../src/wire/text-cache.js';

const encoder = new TextEncoder();

/** What the cache makes of a text that stands in the middle of other bytes. */
function through(cache: TextCache, text: string): string {
  const bytes = encoder.encode(`<<${text}>>`);
  return textIn(cache, bytes, 2, bytes.length - 2);
}

function textIn(cache: TextCache, bytes: Uint8Array, start: number, end: number): string {
  return cache.textOf(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), start, end);
}

t.test('gives every text back as it is, the first time and afterwards', (t) => {
  const cache = new TextCache();
  const texts = [
    '',
    'a',
    'bids_won',
    'ä',
    '\u0000',
    'tab\tulator',
    '😀',
    'x'.repeat(127),
    'x'.repeat(128),
    'y'.repeat(5000),
  ];
  for (let round = 0; round < 2; round++) {
    for (const text of texts) t.equal(through(cache, text), text);
  }
  t.end();
});

t.test('more texts than there is room for do not get mixed up', (t) => {
  const cache = new TextCache();
  let wrong = 0;
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 50_000; index++)
      if (through(cache, `tab.${index}`) !== `tab.${index}`) wrong++;
  }
  t.equal(wrong, 0);
  t.end();
});

t.test('bytes that are no UTF-8 become U+FFFD, and are not taken for the text that shows them so', (t) => {
  const cache = new TextCache();
  t.equal(through(cache, '\ufffd'), '\ufffd');
  t.equal(textIn(cache, Uint8Array.of(0xff), 0, 1), '\ufffd');
  t.equal(textIn(cache, Uint8Array.of(0xff, 0x41), 0, 2), '\ufffdA');
  t.equal(textIn(cache, encoder.encode('ÿA'), 0, 3), 'ÿA');
  t.end();
});

import fc from 'fast-check';
import t from 'tap';
import {
  checkClientId,
  checkTabName,
  isName,
  isNameText,
  maxNameBytes,
  nameEscapeBytes,
  nameWithTags,
  type Tag,
  tagEscape,
  tagEscapeBytes,
  tagUnescape,
} from '../../src/core/names.js';

const nameSet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:/?@!$()*+;=-';
const textEncoder = new TextEncoder();

t.test('exactly the name set is allowed, in text and in bytes', async (t) => {
  for (let code = 0; code < 256; code++) {
    const text = String.fromCharCode(code);
    if (isNameText(text) !== nameSet.includes(text)) t.fail(`text ${code}`);
    if (isName(Uint8Array.of(code)) !== (code < 128 && nameSet.includes(text))) t.fail(`byte ${code}`);
  }
  t.ok(isNameText(nameSet));
});

t.test('1 to 1,024 bytes', async (t) => {
  const longest = 'x'.repeat(maxNameBytes);
  t.equal(checkTabName(longest), longest);
  t.equal(checkClientId('host-1.example:8080'), 'host-1.example:8080');
  t.notOk(isName(textEncoder.encode(`${longest}x`)));
  t.notOk(isName(new Uint8Array(0)));
  t.ok(isName(textEncoder.encode(' a '), 1, 2), 'within a buffer');
  t.throws(() => checkTabName(''), { code: 'bad_name', message: 'the tab name is empty' });
  t.throws(() => checkTabName(`${longest}x`), {
    code: 'bad_name',
    message: /has 1025 characters; 1024 are allowed/,
  });
  t.throws(() => checkTabName('a b'), { code: 'bad_name', message: 'the tab name "a b" contains " "' });
  t.throws(() => checkTabName('a\n'), { code: 'bad_name' });
  t.throws(() => checkClientId('caf\u00e9'), {
    code: 'bad_client',
    message: 'the client id "caf\u00e9" contains "\u00e9"',
  });
});

t.test('tags are escaped as promised', async (t) => {
  t.equal(tagEscape('eu-west/1'), 'eu-west/1');
  t.equal(tagEscape('a=b;c~d e'), 'a~3Db~3Bc~7Ed~20e');
  t.equal(tagEscape('\u00e9'), '~C3~A9');
  t.equal(tagUnescape('~C3~A9'), '\u00e9');
  for (const broken of ['~', '~4', '~zz', '~c3', 'a~G0']) {
    t.throws(() => tagUnescape(broken), { code: 'bad_name' }, broken);
  }
  t.throws(() => tagUnescape('~FF'), { code: 'bad_name', message: /UTF-8/ });
});

const tagText = fc.string({ unit: 'binary', maxLength: 12 });

t.test('escaping is reversible, and stays inside the name set', async () => {
  fc.assert(
    fc.property(tagText, (text) => {
      const escaped = tagEscape(text);
      return (
        tagUnescape(escaped) === text && (escaped === '' || (isNameText(escaped) && !/[;=]/.test(escaped)))
      );
    }),
  );
});

t.test('names and tags of any bytes, UTF-8 or not', async (t) => {
  const bytes = Buffer.from('a b;c=d~e:/\xff', 'latin1');
  t.equal(nameEscapeBytes(bytes, 0, bytes.length), 'a~20b~3Bc=d~7Ee:/~FF');
  t.equal(tagEscapeBytes(bytes, 0, bytes.length), 'a~20b~3Bc~3Dd~7Ee:/~FF');
  t.equal(tagEscapeBytes(bytes, 2, 3), 'b');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), (one, two) => {
      const names = [one, two].map((name) => nameEscapeBytes(name, 0, name.length));
      const same = Buffer.compare(one, two) === 0;
      return (names[0] === names[1]) === same && names.every((name) => name === '' || isNameText(name));
    }),
  );
});

t.test('one set of tags makes one name, two sets make two', async (t) => {
  const tags: Tag[] = [['zone', 'b'], ['host', 'a;b'], ['canary'], ['Host', '']];
  t.equal(nameWithTags('hits', tags), 'hits;Host=;canary;host=a~3Bb;zone=b');
  t.equal(nameWithTags('hits', [...tags].reverse()), nameWithTags('hits', tags));
  t.equal(nameWithTags('hits', []), 'hits');
  t.equal(
    nameWithTags('hits', [['a', 'b'], ['c'], ['a', 'b'], ['c']]),
    'hits;a=b;c',
    'a tag twice is one tag',
  );
  t.not(nameWithTags('hits', [['a', '']]), nameWithTags('hits', [['a']]));
  t.not(nameWithTags('hits', [['a=b', 'c']]), nameWithTags('hits', [['a', 'b=c']]));
});

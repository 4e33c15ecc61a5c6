import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { handlersWith } from '../../src/cli/load-handlers.js';
import { ByteReader, ByteWriter } from '../../src/core/bytes.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';

const page = await readFile(new URL('../../docs/types-and-handlers.md', import.meta.url), 'utf8');
const registry = builtinHandlers();

function block(text: string, language: string): string {
  const match = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\n\`\`\``).exec(text);
  if (match?.[1] === undefined) throw new Error(`no block of ${language}`);
  return match[1];
}

t.test('every type has a section, and renders what its example shows', async (t) => {
  for (const type of registry.types()) {
    const section = page.split(/^## /m).find((text) => text.startsWith(`${type}\n`));
    if (section === undefined) {
      t.fail(`docs/types-and-handlers.md has no section on ${type}`);
      continue;
    }
    const handler = registry.get(type)!;
    const state = handler.newState();
    const payloads = block(section, 'payloads').split('\n');
    for (const [sequence, payload] of payloads.entries()) {
      handler.fold(state, handler.parse(JSON.parse(payload)), { timestampSec: 1396980134.25, sequence });
    }
    const aggregate = handler.newState();
    handler.aggregate(aggregate, state, 1396980135);
    t.equal(handler.render(aggregate, 'text', { nowSec: 1396980135 }), block(section, 'text'), type);
  }
});

t.test('the example of an additional handler loads and works', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'taba-docs-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'largest.mjs');
  await writeFile(file, block(page, 'js'));
  const handler = handlersWith({ Largest: file }).get('Largest')!;
  const state = handler.newState();
  for (const [sequence, value] of [3, 7, 5].entries()) {
    handler.fold(state, handler.parse(value), { timestampSec: 1396980134, sequence });
  }
  const out = new ByteWriter();
  handler.encode(state, out);
  const copy = handler.decode(new ByteReader(out.finish()));
  t.same(handler.render(copy, 'json', { nowSec: 1396980135 }), { largest: 7 });
  t.throws(() => handler.parse('7'), /finite numbers/);
});

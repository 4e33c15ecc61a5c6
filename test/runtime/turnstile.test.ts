import t from 'tap';
import { Turnstile } from '../../src/runtime/turnstile.js';

t.test('so many at once, the others in order; one that fails makes room as well', async (t) => {
  const turnstile = new Turnstile(2);
  const seen: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string, fails = false) =>
    turnstile.pass(async () => {
      seen.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (fails) throw new Error(name);
      return name;
    });
  const first = work('a', true);
  const others = [work('b'), work('c'), work('d')];
  t.strictSame(seen, ['a', 'b']);
  ends.shift()?.();
  await t.rejects(first, { message: 'a' });
  t.strictSame(seen, ['a', 'b', 'c']);
  ends.shift()?.();
  await others[0];
  t.strictSame(seen, ['a', 'b', 'c', 'd']);
  for (const end of ends) end();
  t.strictSame(await Promise.all(others), ['b', 'c', 'd']);
  const later = work('e');
  ends.at(-1)?.();
  t.equal(await later, 'e');
});

import t from 'tap';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import { encodeState } from '../../../src/wire/state.js';
import { silent } from '../../simulation/silent.js';
import { temporaryFolder } from '../../storage/embedded/folder.js';
import { MemoryFiles } from '../../storage/embedded/memory-files.js';
import { begin, block, bucketCount, counts, registry } from './owners-kit.js';

const folder = temporaryFolder();
t.teardown(() => folder.remove());

/** Changes the pages of `a` on the disk: those of a TotalsCounter that counted 1 once. */
function damagePages(files: MemoryFiles, timestampSec: number): void {
  const handler = registry.get('TotalsCounter' as never)!;
  const state = handler.newState();
  handler.fold(state, 1, { timestampSec, sequence: 0 });
  const page = encodeState(handler, state);
  for (const { bytes } of files.disk.values()) {
    for (let at = bytes.indexOf(page); at >= 0; at = bytes.indexOf(page)) bytes[at + 2]! ^= 4;
  }
}

t.test(
  'pages that are damaged on the disk while they are not in memory do not stop their bucket',
  async (t) => {
    const files = new MemoryFiles();
    const store = await openEmbeddedStore({ folder: folder.path, bucketCount, log: silent, files });
    const owners = await begin({ store, memory: { maxStates: 0 } });
    const taken = block();
    await owners.take(taken);
    await owners.checkpoint();
    t.equal(owners.stats().statesInMemory, 0);
    damagePages(files, taken.sealedAtMs / 1000);

    const found = await owners.administration.check({ repair: false });
    t.match(found.outcome.findings, [{ client: '' }, { client: 'c' }]);
    t.match(await owners.take(block({ seq: 2 })), { kind: 'acknowledged' });
    t.same(await counts(owners), { '': 1, c: 1 }, 'they begin anew');
    await owners.checkpoint();
    const { outcome } = await owners.administration.check({ repair: false });
    t.match(outcome.setAside, [{ client: 'c' }, { client: '' }], 'and are kept aside');
    await owners.close();
    await store.close();
  },
);

import t from 'tap';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.js';
import { conformance } from '../conformance.js';
import { LogKeeper } from '../fixture.js';
import { temporaryFolder } from './folder.js';

for (const maxSegmentBytes of [64 * 2 ** 20, 700]) {
  t.test(`segments of ${maxSegmentBytes} bytes`, async (t) => {
    conformance(t as never, async () => {
      const folder = temporaryFolder();
      const open = () =>
        openEmbeddedStore({ folder: folder.path, bucketCount: 4, log: new LogKeeper(), maxSegmentBytes });
      let store = await open();
      return {
        store,
        reopen: async () => {
          await store.close();
          store = await open();
          return store;
        },
        close: async () => {
          await store.close();
          folder.remove();
        },
      };
    });
  });
}

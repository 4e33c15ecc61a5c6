import t from 'tap';
import { openMemoryStore } from '../../src/storage/memory/memory-store.js';
import { conformance } from './conformance.js';

conformance(t, async () => {
  const store = openMemoryStore({ bucketCount: 4 });
  return { store, close: () => store.close() };
});

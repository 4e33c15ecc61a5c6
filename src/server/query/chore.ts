import type { BucketIndex, TabName } from '../../core/ids.js';
import type { Administration, Undone } from '../reduce/administration.js';

/** What administration does with buckets, see `Administration`. */
export const works = ['prune', 'delete', 'recompute', 'upgrade', 'check'] as const;
export type Work = (typeof works)[number];

/** Work to be done by one holder. */
export interface Chore {
  readonly work: Work;
  readonly buckets: readonly BucketIndex[];
  /** `delete`, `recompute`: only these tabs, in whatever buckets. Undefined: all (and `delete` takes none). */
  readonly tabs: readonly string[] | undefined;
  /** `check`: put right what is wrong. */
  readonly repair: boolean;
}

/** What came of it. */
export interface ChoreDone {
  readonly undone: readonly Undone[];
  /** How many of what. */
  readonly counts: Readonly<Record<string, number>>;
  /** `check`: each as JSON. */
  readonly findings: readonly string[];
  readonly setAside: readonly string[];
}

/** Does the work in the buckets that are served here. */
export function doChore(administration: Administration, chore: Chore): Promise<ChoreDone> {
  return doers[chore.work](administration, chore);
}

const doers: Readonly<Record<Work, (by: Administration, chore: Chore) => Promise<ChoreDone>>> = {
  prune: async (by, { buckets }) => {
    const { outcome, undone } = await by.prune(buckets);
    return counted(undone, { ...outcome });
  },
  delete: async (by, { tabs, buckets }) => {
    const { outcome, undone } = await by.deleteTabs((tabs ?? []) as readonly TabName[], buckets);
    return counted(undone, { deleted: outcome });
  },
  recompute: async (by, { tabs, buckets }) => {
    const { outcome, undone } = await by.recompute(buckets, tabs as readonly TabName[] | undefined);
    return counted(undone, { recomputed: outcome });
  },
  upgrade: async (by, { buckets }) => {
    const { outcome, undone } = await by.upgrade(buckets);
    return counted(undone, { upgraded: outcome });
  },
  check: async (by, { buckets, repair }) => {
    const { outcome, undone } = await by.check({ repair }, buckets);
    return { undone, counts: {}, findings: texts(outcome.findings), setAside: texts(outcome.setAside) };
  },
};

function counted(undone: readonly Undone[], counts: Readonly<Record<string, number>>): ChoreDone {
  return { undone, counts, findings: [], setAside: [] };
}

function texts(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(item));
}

import type { MemberId } from '../../core/ids.js';

/** A server that may own buckets. */
export interface Candidate {
  readonly id: MemberId;
  /** Its share relative to the others; above 0. */
  readonly weight: number;
}

/**
 * Shares the buckets out among the candidates, in proportion to their weights, and moves as few as that takes: a bucket
 * stays where it is unless its owner is gone or has more than its share. Buckets are spread by a hash, so that counting
 * them is fair. The same input gives the same result.
 *
 * @param owners by bucket; undefined where there is none
 * @returns by bucket; the owners as they were where there are no candidates
 */
export function assign(
  owners: readonly (MemberId | undefined)[],
  candidates: readonly Candidate[],
): (MemberId | undefined)[] {
  const weighty = candidates.filter(({ weight }) => weight > 0);
  if (weighty.length === 0) return [...owners];
  const room = sharesOf(owners, weighty);
  const next: (MemberId | undefined)[] = owners.map((owner) => {
    const left = owner === undefined ? undefined : room.get(owner);
    if (owner === undefined || left === undefined || left === 0) return undefined;
    room.set(owner, left - 1);
    return owner;
  });
  const takers = weighty.map(({ id }) => id).sort();
  let at = 0;
  return next.map((owner) => {
    if (owner !== undefined) return owner;
    while (room.get(takers[at]!) === 0) at++;
    const taker = takers[at]!;
    room.set(taker, room.get(taker)! - 1);
    return taker;
  });
}

/**
 * How many buckets each candidate is to have: its exact share rounded down, and one more for some, first for those who
 * have more than that already, since they need not give it away.
 */
function sharesOf(
  owners: readonly (MemberId | undefined)[],
  candidates: readonly Candidate[],
): Map<MemberId, number> {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const held = new Map<MemberId, number>();
  for (const owner of owners) if (owner !== undefined) held.set(owner, (held.get(owner) ?? 0) + 1);
  const shares = candidates.map(({ id, weight }) => {
    const exact = (owners.length * weight) / total;
    return { id, whole: Math.floor(exact), fraction: exact % 1, held: held.get(id) ?? 0 };
  });
  let left = owners.length - shares.reduce((sum, { whole }) => sum + whole, 0);
  shares.sort(
    (a, b) =>
      Number(keepsOneMore(b)) - Number(keepsOneMore(a)) || b.fraction - a.fraction || (a.id < b.id ? -1 : 1),
  );
  return new Map(shares.map(({ id, whole }) => [id, left-- > 0 ? whole + 1 : whole]));
}

/** Whose share is a whole number gets no more than that. */
function keepsOneMore(share: {
  readonly held: number;
  readonly whole: number;
  readonly fraction: number;
}): boolean {
  return share.held > share.whole && share.fraction > rounding;
}

const rounding = 1e-9;

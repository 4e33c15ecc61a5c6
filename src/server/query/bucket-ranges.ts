/** Buckets for people and for headers: `0-332, 500`. */
export function bucketRanges(buckets: Iterable<number>): string {
  const ranges: [first: number, last: number][] = [];
  for (const bucket of [...new Set(buckets)].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === bucket - 1) range[1] = bucket;
    else ranges.push([bucket, bucket]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

/** Buckets of each shard, as evenly as they go: `shares(2, 1000)` is [[0, 499], [500, 999]], ends included. */
export function shares(shards: number, buckets: number): (readonly [first: number, last: number])[] {
  return Array.from({ length: shards }, (_, index) => [
    Math.floor((index * buckets) / shards),
    Math.floor(((index + 1) * buckets) / shards) - 1,
  ]);
}

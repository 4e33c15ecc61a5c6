import type { BucketIndex } from '../../core/ids.js';
import type { StoreFinding } from '../store.js';
import { type BucketKeys, type KeyMeaning, type RedisKeys, typeOfKind } from './keys.js';
import type { Shard } from './shard.js';

export interface ExamineOptions {
  readonly shard: Shard;
  readonly keys: RedisKeys;
  /** Whether a bucket belongs on this shard. */
  holds(bucket: number): boolean;
  readonly holdsControl: boolean;
  readonly repair: boolean;
}

const keysPerScan = 1000;

/** Looks through every key of the store on one shard; with `repair`, deletes what belongs to nothing, and mends buckets. */
export async function examineShard(options: ExamineOptions): Promise<StoreFinding[]> {
  const findings: StoreFinding[] = [];
  const buckets = new Set<BucketIndex>();
  for await (const key of keysOf(options)) {
    const meaning = options.keys.meaningOf(key);
    const problem = await strayProblem(key, meaning, options);
    if (problem === undefined) {
      if (meaning?.of === 'bucket') buckets.add(meaning.bucket as BucketIndex);
      continue;
    }
    // A whole bucket on the wrong shard may be somebody's States: a person has to look.
    const repaired = options.repair && meaning === undefined;
    if (repaired) await options.shard.command('DEL', key);
    const bucket = meaning?.of === 'bucket' ? { bucket: meaning.bucket as BucketIndex } : {};
    findings.push({ ...bucket, key, problem, repaired });
  }
  for (const bucket of buckets) findings.push(...(await examineBucket(bucket, options)));
  return findings;
}

async function* keysOf({ shard, keys }: ExamineOptions): AsyncIterable<string> {
  // A longer prefix is another cluster's, or another application's: ours is followed by the hash tag, and has no brace.
  const pattern = `${keys.prefix.replace(/[\\*?[\]^]/g, '\\$&')}{*`;
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const answer = await shard.command('SCAN', cursor, 'MATCH', pattern, 'COUNT', keysPerScan);
    const [next, found] = answer as [string, string[]];
    cursor = next;
    for (const key of found) {
      if (seen.has(key)) continue;
      seen.add(key);
      yield key;
    }
  } while (cursor !== '0');
}

async function strayProblem(
  key: string,
  meaning: KeyMeaning | undefined,
  { shard, holds, holdsControl }: ExamineOptions,
): Promise<string | undefined> {
  if (meaning === undefined) return 'a key that belongs to nothing';
  if (meaning.of === 'bucket' && !holds(meaning.bucket))
    return `bucket ${meaning.bucket} belongs on another shard`;
  if (meaning.of === 'control' && meaning.kind !== 'meta' && !holdsControl)
    return 'it belongs on another shard';
  const type = String(await shard.command('TYPE', key));
  if (type === 'none' || type === typeOfKind[meaning.kind]) return undefined;
  return `it is a ${type}; it should be a ${typeOfKind[meaning.kind]}`;
}

/** Everything about one bucket in one script, so that a live owner is never met half-way. */
async function examineBucket(
  bucket: BucketIndex,
  { shard, keys, repair }: ExamineOptions,
): Promise<StoreFinding[]> {
  const its: BucketKeys = keys.bucket(bucket);
  const answer = (await shard.run({
    script: 'examine',
    keys: [its.head, its.journal, its.index, its.pages, its.aside, its.asideKeys],
    args: [repair ? '1' : '0'],
  })) as Buffer[];
  const findings: StoreFinding[] = [];
  for (let at = 0; at + 2 < answer.length; at += 3) {
    const [key, problem, repaired] = answer.slice(at, at + 3).map(String) as [string, string, string];
    findings.push({ bucket, key, problem, repaired: repaired === '1' });
  }
  return findings;
}

import type { BucketIndex } from '../../core/ids.js';

/** The keys of one bucket. All of them carry its hash tag, so that Redis Cluster keeps them together. */
export interface BucketKeys {
  /** Hash: token, n, position (of the last entry), trimmed (up to), horizon (ms), owner. */
  readonly head: string;
  /** Hash: producer -> "birthMs lastSeq lastAtMs". */
  readonly producers: string;
  /** Hash: position -> entry, see journal-codec.ts. */
  readonly journal: string;
  /** Hash: page -> "position type". */
  readonly index: string;
  /** Hash: page -> encoded State. The page is tab, line feed, client; names have no line feed. */
  readonly pages: string;
  /** List of set-aside items, oldest first. */
  readonly aside: string;
  /** List of what replay needs of them, in the same order: "position\ntab\nclient". */
  readonly asideKeys: string;
}

/** The keys that belong to no bucket: on every shard `meta`, on the shard of bucket 0 also how servers find each other. */
export interface ControlKeys {
  /** Hash: what the store was made for. */
  readonly meta: string;
  /** Hash: member -> its description. */
  readonly members: string;
  /** Hash: member -> ms of its last heartbeat. */
  readonly beats: string;
  /** Hash: id, until (ms). */
  readonly leader: string;
  /** Hash: version, owners. */
  readonly assignment: string;
}

export const bucketKeyKinds = [
  'head',
  'producers',
  'journal',
  'index',
  'pages',
  'aside',
  'asideKeys',
] as const satisfies readonly (keyof BucketKeys)[];
const controlKeyKinds = [
  'meta',
  'members',
  'beats',
  'leader',
  'assignment',
] as const satisfies readonly (keyof ControlKeys)[];

/** Which Redis type each kind of key has. */
export const typeOfKind: Readonly<Record<keyof BucketKeys | keyof ControlKeys, 'hash' | 'list'>> = {
  head: 'hash',
  producers: 'hash',
  journal: 'hash',
  index: 'hash',
  pages: 'hash',
  aside: 'list',
  asideKeys: 'list',
  meta: 'hash',
  members: 'hash',
  beats: 'hash',
  leader: 'hash',
  assignment: 'hash',
};

export type KeyMeaning =
  | { readonly of: 'bucket'; readonly bucket: number; readonly kind: keyof BucketKeys }
  | { readonly of: 'control'; readonly kind: keyof ControlKeys };

/** Every key of the store; no other file makes one. Such as `taba:{b12}:journal` and `taba:{control}:members`. */
export class RedisKeys {
  readonly prefix: string;
  readonly control: ControlKeys;
  readonly #buckets: BucketKeys[] = [];

  constructor(prefix: string) {
    this.prefix = prefix;
    this.control = keysOf(controlKeyKinds, `${prefix}{control}`);
  }

  bucket(bucket: BucketIndex): BucketKeys {
    let keys = this.#buckets[bucket];
    if (keys === undefined) {
      keys = keysOf(bucketKeyKinds, `${this.prefix}{b${bucket}}`);
      this.#buckets[bucket] = keys;
    }
    return keys;
  }

  /** What a key with this prefix is for; undefined when it is none of the store's. */
  meaningOf(key: string): KeyMeaning | undefined {
    const match = /^\{(?:b(0|[1-9]\d{0,6})|control)\}:(\w+)$/.exec(key.slice(this.prefix.length));
    const [, bucket, kind] = match ?? [];
    if (bucket === undefined) {
      const known = controlKeyKinds.find((name) => name === kind);
      return known && { of: 'control', kind: known };
    }
    const known = bucketKeyKinds.find((name) => name === kind);
    return known && { of: 'bucket', bucket: Number(bucket), kind: known };
  }
}

function keysOf<K extends string>(kinds: readonly K[], stem: string): Record<K, string> {
  return Object.fromEntries(kinds.map((kind) => [kind, `${stem}:${kind}`])) as Record<K, string>;
}

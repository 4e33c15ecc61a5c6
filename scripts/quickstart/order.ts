/** What a bidder is told to do, and what it says when it has done it: as JSON in its arguments and on its standard output. */
export interface BidderOrder {
  readonly client: string;
  readonly url: string;
  readonly seed: number;
  readonly auctions: number;
  readonly durationMs: number;
}

export interface Sum {
  count: number;
  total: number;
  /** Sum of the absolute values: what the rounding of the total is measured by. */
  absolute: number;
}

export interface BidderReport {
  readonly client: string;
  /** Number tabs: everything that was recorded. */
  readonly sums: Readonly<Record<string, Sum>>;
  /** Gauges: the value recorded last. */
  readonly latest: Readonly<Record<string, string>>;
  /** Distinct values recorded. */
  readonly distinct: Readonly<Record<string, readonly string[]>>;
  readonly lost: number;
}

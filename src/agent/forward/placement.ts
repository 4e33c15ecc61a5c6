/**
 * Which lane carries which bucket.
 *
 * As in the first Taba's agent, load moves from slow lanes to fast ones by what was measured. A lane's share of the load
 * is proportional to its speed, the reciprocal of its decayed latency; a slow lane keeps a small share, or nobody would
 * notice that it has recovered. Pure: the caller measures, and carries out the moves.
 */
export interface LaneLoad {
  readonly id: string;
  /** Whether the lane can take Blocks now. */
  readonly up: boolean;
  /** Decayed time from push to answer, ms; undefined before the first answer. */
  readonly latencyMs: number | undefined;
}

export interface Move {
  readonly bucket: number;
  readonly to: string;
}

export interface PlacementInput {
  readonly lanes: readonly LaneLoad[];
  /** The lane of each bucket; undefined where it has none. */
  readonly laneOf: readonly (string | undefined)[];
  /** Decayed load of each bucket, in any unit; an idle bucket has 0. */
  readonly loadOf: readonly number[];
}

/** The slowest lane's share of the fastest one's: small enough to relieve it, large enough to measure it. */
const minSpeedRatio = 1 / 16;
/** Latencies below this are the same: jitter of a millisecond must not move buckets. */
const latencyFloorMs = 5;
/** A lane is relieved when it is this much above its share; closer than that, moves cost more than they bring. */
const tolerance = 0.25;
/** At most this share of all buckets moves in one round, so that measurements keep up with moves. */
const maxMovedShare = 0.1;

/** Every bucket counts a little, so that idle ones are spread as well. */
const idleLoad = 1e-3;

/**
 * Moves of one round: buckets without a lane that is up are placed at once; then lanes far above their share are relieved.
 * No lane up: no moves.
 */
export function place({ lanes, laneOf, loadOf }: PlacementInput): Move[] {
  const up = lanes.filter((lane) => lane.up);
  if (up.length === 0) return [];
  const target = shares(up);
  const index = new Map(up.map((lane, position) => [lane.id, position]));
  const load = new Array<number>(up.length).fill(0);
  const held: number[][] = up.map(() => []);
  const homeless: number[] = [];
  const mean = loadOf.reduce((sum, value) => sum + value, 0) / Math.max(1, loadOf.length);
  const weigh = (bucket: number): number => (loadOf[bucket] ?? 0) + Math.max(mean, 1) * idleLoad;
  for (let bucket = 0; bucket < laneOf.length; bucket++) {
    const lane = laneOf[bucket];
    const position = lane === undefined ? undefined : index.get(lane);
    if (position === undefined) {
      homeless.push(bucket);
    } else {
      load[position]! += weigh(bucket);
      held[position]!.push(bucket);
    }
  }
  const moves: Move[] = [];
  const put = (bucket: number, position: number): void => {
    load[position]! += weigh(bucket);
    moves.push({ bucket, to: up[position]!.id });
  };
  // Heaviest first: the light ones then even out what the heavy ones left uneven.
  homeless.sort((a, b) => weigh(b) - weigh(a) || a - b);
  for (const bucket of homeless) put(bucket, roomiest(load, target));

  let budget = Math.max(1, Math.floor(laneOf.length * maxMovedShare));
  const total = load.reduce((sum, value) => sum + value, 0);
  for (const [position, buckets] of held.entries()) {
    const due = target[position]! * total;
    if (load[position]! <= due * (1 + tolerance)) continue;
    buckets.sort((a, b) => weigh(b) - weigh(a) || a - b);
    for (const bucket of buckets) {
      if (budget === 0) break;
      const excess = load[position]! - due;
      const to = roomiest(load, target);
      const weight = weigh(bucket);
      // A bucket heavier than what is too much would only carry the excess elsewhere.
      if (to === position || weight > excess || load[to]! + weight > target[to]! * total * (1 + tolerance))
        continue;
      load[position]! -= weight;
      put(bucket, to);
      budget--;
    }
  }
  return moves;
}

/** The share of the load that each lane should carry; they add up to 1. */
function shares(lanes: readonly LaneLoad[]): number[] {
  const known = lanes.flatMap((lane) =>
    lane.latencyMs === undefined ? [] : [Math.max(lane.latencyMs, latencyFloorMs)],
  );
  // A lane that was never measured counts as the fastest: trying it is how it gets measured.
  const fastest = known.length === 0 ? latencyFloorMs : Math.min(...known);
  const speeds = lanes.map(({ latencyMs }) =>
    latencyMs === undefined ? 1 : Math.max(minSpeedRatio, fastest / Math.max(latencyMs, latencyFloorMs)),
  );
  const sum = speeds.reduce((total, speed) => total + speed, 0);
  return speeds.map((speed) => speed / sum);
}

/** The lane with the smallest load for its share. */
function roomiest(load: readonly number[], target: readonly number[]): number {
  let best = 0;
  for (let position = 1; position < load.length; position++) {
    if (load[position]! / target[position]! < load[best]! / target[best]!) best = position;
  }
  return best;
}

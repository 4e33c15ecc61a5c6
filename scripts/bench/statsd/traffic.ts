/** StatsD as it is sent: the same packets for every program, a known number of times. */
export interface Traffic {
  readonly transport: 'tcp' | 'udp';
  readonly kind: 'c' | 'ms';
  readonly names: number;
  /** Datagrams of one metric each, instead of full ones. */
  readonly single: boolean;
  /** How often each name is sent. */
  readonly rounds: number;
  /** Sent evenly at this rate; 0 sends as fast as it is taken. */
  readonly eventsPerSec: number;
}

/** The most that fits into an Ethernet frame, as clients of StatsD pack. */
const datagramBytes = 1432;

export function nameOf(index: number): string {
  return `bench.requests.${String(index).padStart(6, '0')}`;
}

export function eventsOf({ names, rounds }: Traffic): number {
  return names * rounds;
}

/** The amount that every name adds up to. Multiples of 1/8: sums of them are exact. */
export function totalOf({ kind, rounds }: Traffic, index: number): number {
  return rounds * amountOf(kind, index);
}

function amountOf(kind: Traffic['kind'], index: number): number {
  return kind === 'c' ? 1 : 1 + (index % 8000) / 8;
}

/** One round: every name once, in an order of its own, packed into datagrams. `events[i]` are in `packets[i]`. */
export function roundOf(traffic: Traffic): { packets: Buffer[]; events: number[] } {
  const { kind, names, single } = traffic;
  const packets: Buffer[] = [];
  const events: number[] = [];
  let lines: string[] = [];
  let bytes = 0;
  const close = () => {
    if (lines.length === 0) return;
    packets.push(Buffer.from(lines.join('\n') + (traffic.transport === 'tcp' ? '\n' : '')));
    events.push(lines.length);
    lines = [];
    bytes = 0;
  };
  // A step that shares no factor with the number of names visits each of them once, far from its neighbours.
  const step = stepFor(names);
  for (let at = 0, index = 0; at < names; at++, index = (index + step) % names) {
    const line = `${nameOf(index)}:${amountOf(kind, index)}|${kind}`;
    if (bytes + line.length + 1 > datagramBytes) close();
    lines.push(line);
    bytes += line.length + 1;
    if (single) close();
  }
  close();
  return { packets, events };
}

function stepFor(names: number): number {
  let step = Math.floor(names * 0.618) | 1;
  while (greatestCommonDivisor(step, names) !== 1) step += 2;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

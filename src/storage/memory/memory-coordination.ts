import type { MemberId } from '../../core/ids.js';
import type { Assignment, ClusterView, Coordination, Member } from '../coordination.js';

export interface MemoryCoordinationOptions {
  readonly leaseMs: number;
  nowMs(): number;
}

/** Servers of one process that share a memory store: for tests and the simulation. */
export class MemoryCoordination implements Coordination {
  readonly #options: MemoryCoordinationOptions;
  readonly #members = new Map<MemberId, { readonly member: Member; readonly atMs: number }>();
  #leader: { readonly id: MemberId; readonly untilMs: number } | undefined;
  #assignment: Assignment | undefined;

  constructor(options: MemoryCoordinationOptions) {
    this.#options = options;
  }

  async beat(member: Member, knownVersion: number): Promise<ClusterView> {
    const { leaseMs } = this.#options;
    const nowMs = this.#options.nowMs();
    const newestMs = Math.max(...Array.from(this.#members.values(), ({ atMs }) => atMs));
    // Nobody could beat: all get a lease from now on, or the first to come back would be alone.
    const wasAway = nowMs - newestMs > leaseMs / 2;
    for (const [id, known] of this.#members) {
      if (wasAway) this.#members.set(id, { ...known, atMs: nowMs });
      else if (nowMs - known.atMs > leaseMs) this.#members.delete(id);
    }
    this.#members.set(member.id, { member: { ...member }, atMs: nowMs });
    const leader = this.#leader;
    const isVacant = leader === undefined || nowMs > leader.untilMs || !this.#members.has(leader.id);
    if (isVacant || leader.id === member.id) this.#leader = { id: member.id, untilMs: nowMs + leaseMs };
    const version = this.#assignment?.version ?? 0;
    return {
      nowMs,
      leader: this.#leader?.id,
      members: [...this.#members.values()]
        .map(({ member: one }) => one)
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
      version,
      assignment: version === knownVersion ? undefined : this.#assignment,
    };
  }

  async assign(by: MemberId, before: number, assignment: Assignment): Promise<boolean> {
    if (this.#leader?.id !== by || (this.#assignment?.version ?? 0) !== before) return false;
    this.#assignment = assignment;
    return true;
  }

  async leave(member: MemberId): Promise<void> {
    this.#members.delete(member);
    if (this.#leader?.id === member) this.#leader = undefined;
  }
}

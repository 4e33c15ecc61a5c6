import type { MemberId } from '../../../src/core/ids.js';
import type { Assignment, ClusterView, Coordination, Member } from '../../../src/storage/coordination.js';
import { epochMs, type World } from '../world.js';
import type { Effective } from './link.js';

/** What the control shard keeps beside its buckets: see the scripts beat, assign and leave. */
export interface ControlCopy {
  readonly members: Map<MemberId, { readonly member: Member; readonly atMs: number }>;
  leader: { readonly id: MemberId; readonly untilMs: number } | undefined;
  assignment: Assignment | undefined;
}

export function emptyControl(): ControlCopy {
  return { members: new Map(), leader: undefined, assignment: undefined };
}

export function cloneControl(control: ControlCopy): ControlCopy {
  return { ...control, members: new Map(control.members) };
}

export interface SimCoordinationOptions {
  readonly world: World;
  readonly leaseMs: number;
  run<T>(effective: Effective<ControlCopy, T>): Promise<T>;
}

export function simCoordination({ world, leaseMs, run }: SimCoordinationOptions): Coordination {
  return {
    beat: (member, knownVersion) => {
      // The time of the master: replicas take over what it did.
      let nowMs: number | undefined;
      return run({
        denyOom: false,
        check: () => {},
        effect: (control) => {
          nowMs ??= epochMs + world.nowMs;
          beat(control, member, nowMs, leaseMs);
        },
        result: (control) => view(control, knownVersion, nowMs!),
      });
    },
    assign: (by, before, assignment) => {
      let assigned: boolean | undefined;
      return run({
        denyOom: false,
        check: () => {},
        effect: (control) => {
          const { leader, assignment: present } = control;
          assigned ??= leader?.id === by && (present?.version ?? 0) === before;
          if (assigned) control.assignment = assignment;
        },
        result: () => {
          if (assigned) world.log(() => `assignment ${JSON.stringify(assignment)}`);
          return assigned!;
        },
      });
    },
    leave: (member) => {
      return run({
        denyOom: false,
        check: () => {},
        effect: (control) => {
          control.members.delete(member);
          if (control.leader?.id === member) control.leader = undefined;
        },
        result: () => {},
      });
    },
  };
}

function beat(control: ControlCopy, member: Member, nowMs: number, leaseMs: number): void {
  const { members, leader } = control;
  let newestMs = 0;
  for (const { atMs } of members.values()) newestMs = Math.max(newestMs, atMs);
  // Nobody was heard: it was Redis that was away.
  const away = nowMs - newestMs > leaseMs / 2;
  for (const [id, { member: other, atMs }] of members) {
    if (away || atMs > nowMs) members.set(id, { member: other, atMs: nowMs });
    else if (nowMs - atMs > leaseMs) members.delete(id);
  }
  members.set(member.id, { member, atMs: nowMs });
  const leads = leader !== undefined && nowMs <= leader.untilMs && leader.untilMs <= nowMs + leaseMs;
  if (leads && leader.id !== member.id && members.has(leader.id)) return;
  control.leader = { id: member.id, untilMs: nowMs + leaseMs };
}

function view(
  { members, leader, assignment }: ControlCopy,
  knownVersion: number,
  nowMs: number,
): ClusterView {
  const version = assignment?.version ?? 0;
  return {
    nowMs,
    leader: leader?.id,
    members: [...members.values()].map(({ member }) => member).sort((a, b) => (a.id < b.id ? -1 : 1)),
    version,
    assignment: version === knownVersion ? undefined : assignment,
  };
}

import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { TabaError } from '../../core/errors.js';
import type { MemberId } from '../../core/ids.js';
import type { Assignment, ClusterView, Coordination, Member } from '../coordination.js';
import type { ControlKeys } from './keys.js';
import type { ScriptCall } from './scripts.js';

export interface RedisCoordinationOptions {
  readonly keys: ControlKeys;
  readonly leaseMs: number;
  /** Runs a script on the shard of the control keys. */
  run(call: ScriptCall): Promise<unknown>;
}

/** Heartbeats and the assignment in Redis, each verb one script. Nothing waits for replicas: what is lost is said again. */
export class RedisCoordination implements Coordination {
  readonly #options: RedisCoordinationOptions;

  constructor(options: RedisCoordinationOptions) {
    this.#options = options;
  }

  async beat(member: Member, knownVersion: number): Promise<ClusterView> {
    const { keys, leaseMs, run } = this.#options;
    const answer = (await run({
      script: 'beat',
      keys: [keys.members, keys.beats, keys.leader, keys.assignment],
      args: [member.id, encodeMember(member), String(leaseMs), String(knownVersion)],
    })) as (Buffer | null)[];
    const [now, leader, versionText, owners, ...rows] = answer;
    const version = Number(versionText);
    const members: Member[] = [];
    for (let at = 0; at + 1 < rows.length; at += 2) {
      members.push(decodeMember(String(rows[at]) as MemberId, new Uint8Array(rows[at + 1]!)));
    }
    members.sort((a, b) => (a.id < b.id ? -1 : 1));
    return {
      nowMs: Number(now),
      leader: String(leader) as MemberId,
      members,
      version,
      assignment: owners == null ? undefined : { version, owners: decodeOwners(new Uint8Array(owners)) },
    };
  }

  async assign(by: MemberId, before: number, { version, owners }: Assignment): Promise<boolean> {
    const { keys, run } = this.#options;
    const done = await run({
      script: 'assign',
      keys: [keys.leader, keys.assignment],
      args: [by, String(before), String(version), encodeOwners(owners)],
    });
    return done === 1;
  }

  async leave(member: MemberId): Promise<void> {
    const { keys, run } = this.#options;
    await run({ script: 'leave', keys: [keys.members, keys.beats, keys.leader], args: [member] });
  }
}

/**
 * A member's row: format 1 (u8) · address · roles (count, each a text) · weight (f64) · leaving (u8) · version · report, its
 * length first. Later versions may add to the end. A row of another format is a server of another version: an error.
 */
const format = 1;

function encodeMember({ address, roles, weight, leaving, version, report }: Member): Uint8Array {
  const out = new ByteWriter(256 + report.length);
  out.u8(format);
  out.string(address);
  out.varint(roles.length);
  for (const role of roles) out.string(role);
  out.f64(weight);
  out.u8(leaving ? 1 : 0);
  out.string(version);
  out.bytes(report);
  return out.finish();
}

function decodeMember(id: MemberId, bytes: Uint8Array): Member {
  const from = new ByteReader(bytes);
  const found = from.u8();
  if (found !== format) throw new TabaError('corrupt', `member ${id} describes itself in format ${found}`);
  const address = from.string();
  const roles = Array.from({ length: from.varint() }, () => from.string());
  const weight = from.f64();
  const leaving = from.u8() === 1;
  return { id, address, roles, weight, leaving, version: from.string(), report: from.bytes().slice() };
}

/** Owners: how many there are, each a text; then for each bucket a varint: 0 for nobody, else which of them, from 1. */
function encodeOwners(owners: Assignment['owners']): Uint8Array {
  const names = [...new Set(owners.filter((owner) => owner !== undefined))];
  const numbers = new Map(names.map((name, index) => [name, index + 1]));
  const out = new ByteWriter(64 * names.length + 2 * owners.length);
  out.varint(names.length);
  for (const name of names) out.string(name);
  out.varint(owners.length);
  for (const owner of owners) out.varint(owner === undefined ? 0 : numbers.get(owner)!);
  return out.finish();
}

/** @param bytes as `assign` wrote them */
export function decodeOwners(bytes: Uint8Array): Assignment['owners'] {
  const from = new ByteReader(bytes);
  const names = Array.from({ length: from.varint() }, () => from.string() as MemberId);
  return Array.from({ length: from.varint() }, () => names[from.varint() - 1]);
}

import type { BlockRejection } from '../core/block.js';
import { EncodedState } from '../core/handlers/encoded-state.js';
import type { Handler } from '../core/handlers/handler.js';
import type { TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
import { decodePart, examinePart, type PartRecord, readParts } from '../wire/parts.js';
import type { StageContext } from './context.js';

/** An SDK's flush, checked in full: nothing of it counts until somebody merges `parts`. */
export interface StagedParts {
  readonly parts: PartMap;
  /** Events of the payload: those of `parts` and those of `rejected`. */
  readonly received: number;
  readonly accepted: number;
  /** Events moved to the present because they were stamped too far ahead of it. */
  readonly clamped: number;
  readonly rejected: readonly BlockRejection[];
}

type StagePartsContext = Omit<StageContext, 'defaultClient' | 'nextSequence'>;

/** @throws TabaError `corrupt` if the payload as a whole is: nothing of it counts */
export function stageParts(payload: Uint8Array, context: StagePartsContext): StagedParts {
  const records = readParts(payload);
  const parts = new PartMap(context.registry);
  const rejected: BlockRejection[] = [];
  const nowSec = context.nowMs / 1000;
  const limitSec = nowSec + context.limits.allowedSkewSec;
  let received = 0;
  let clamped = 0;
  for (const record of records) {
    const { tab, type, client, events } = record;
    received += events;
    const refusal = refusalOf(record, context);
    if (refusal !== undefined) {
      rejected.push({ tab, client, events, ...refusal });
      continue;
    }
    try {
      const newestSec = examinePart(record, context.registry);
      if (newestSec !== undefined && newestSec <= limitSec) {
        // A copy: a Part that waits must not keep the whole payload in memory.
        const { start, end } = record;
        parts.put(tab, type, client, EncodedState.copyOf(payload, start, end), events);
        continue;
      }
      const state = decodePart(record, context.registry);
      const moved = handlerOf(type, context).clampFuture(state, limitSec, nowSec);
      parts.put(tab, type, client, state, events);
      clamped += moved;
    } catch (error) {
      rejected.push({ tab, client, events, ...faultOf(error) });
    }
  }
  return { parts, received, accepted: parts.events, clamped, rejected };
}

type Refusal = Pick<BlockRejection, 'code' | 'message'>;

function refusalOf({ tab, type, client }: PartRecord, context: StagePartsContext): Refusal | undefined {
  const { deny, limits } = context;
  if (tab.length > limits.maxNameBytes || client.length > limits.maxNameBytes) {
    return { code: 'denied', message: `names of more than ${limits.maxNameBytes} bytes are not taken here` };
  }
  if (deny.deniesTab(tab)) return { code: 'denied', message: `${tab} is on the deny-list of this node` };
  if (deny.deniesClient(client))
    return { code: 'denied', message: `${client} is on the deny-list of this node` };
  if (context.registry.get(type) === undefined) {
    return { code: 'unknown_type', message: `no handler for the tab type ${JSON.stringify(type)}` };
  }
  const known = context.typeOf(tab);
  if (known !== undefined && known !== type) {
    return { code: 'type_conflict', message: `${tab} is a ${known}, not a ${type}` };
  }
  const limit = context.admits(tab, client);
  if (limit === undefined) return undefined;
  const what = limit === 'too_many_tabs' ? 'tabs' : 'clients';
  return { code: limit, message: `${tab}: the node knows as many ${what} as it is allowed to` };
}

function handlerOf(type: TabType, { registry }: StagePartsContext): Handler {
  return registry.get(type)!;
}

/** Whatever a Handler throws at a Part is a fault of that Part alone. */
function faultOf(error: unknown): Refusal {
  return {
    code: 'corrupt',
    message: error instanceof Error ? error.message : String(error),
  };
}

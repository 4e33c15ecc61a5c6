import { setTimeout as pause } from 'node:timers/promises';
import type { FaultProxy } from '../../process/fault-proxy.js';

/** What a stalled network does: bytes get nowhere for a while, and what was under way is lost with its connection. */
export async function heldBack(proxy: FaultProxy, forMs: number): Promise<void> {
  proxy.hold();
  await pause(forMs);
  proxy.cut();
  proxy.release();
}

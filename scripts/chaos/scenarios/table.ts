import { agentKilled } from './agent-killed.js';
import { coldTabs } from './cold-tabs.js';
import { cutBeforeWait } from './cut-before-wait.js';
import { deposedMaster } from './deposed-master.js';
import { doubleFailover } from './double-failover.js';
import { forgottenProducer } from './forgotten-producer.js';
import { frozenOwner } from './frozen-owner.js';
import { lateAppend } from './late-append.js';
import { outOfMemory } from './out-of-memory.js';
import { masterKilled } from './promises/master-killed.js';
import { noOwner } from './promises/no-owner.js';
import { ownerKilled } from './promises/owner-killed.js';
import { ownerStopped } from './promises/owner-stopped.js';
import { redisAway } from './promises/redis-away.js';
import { serversAddedAndRemoved } from './promises/servers-added-and-removed.js';
import { rawPost } from './raw-post.js';
import { restartedInPlace } from './restarted-in-place.js';
import { routeChanged } from './route-changed.js';
import type { Scenario } from './scenario.js';
import { sdkFlushes } from './sdk-flushes.js';
import { secondAgent } from './second-agent.js';
import { stoppedUnderLoad } from './stopped-under-load.js';
import { twoAcquires } from './two-acquires.js';
import { unreplicatedTakeOver } from './unreplicated-take-over.js';
import { waitFallsShort } from './wait-falls-short.js';

/** Every scenario there is, in the order in which `--scenario all` runs them. */
export const scenarios: readonly Scenario[] = [
  deposedMaster,
  waitFallsShort,
  cutBeforeWait,
  lateAppend,
  frozenOwner,
  unreplicatedTakeOver,
  restartedInPlace,
  twoAcquires,
  coldTabs,
  agentKilled,
  routeChanged,
  forgottenProducer,
  sdkFlushes,
  rawPost,
  stoppedUnderLoad,
  doubleFailover,
  secondAgent,
  outOfMemory,
  ownerKilled,
  ownerStopped,
  masterKilled,
  serversAddedAndRemoved,
  noOwner,
  redisAway,
];

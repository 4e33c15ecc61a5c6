import { agentKilled } from './agent-killed.js';
import { coldTabs } from './cold-tabs.js';
import { cutBeforeWait } from './cut-before-wait.js';
import { doubleFailover } from './double-failover.js';
import { forgottenProducer } from './forgotten-producer.js';
import { lateAppend } from './late-append.js';
import { rawPost } from './raw-post.js';
import { routeChanged } from './route-changed.js';
import type { Scenario } from './scenario.js';
import { sdkFlushes } from './sdk-flushes.js';
import { secondAgent } from './second-agent.js';
import { stoppedUnderLoad } from './stopped-under-load.js';

/** Every scenario there is, in the order in which `--scenario all` runs them. */
export const scenarios: readonly Scenario[] = [
  cutBeforeWait,
  lateAppend,
  coldTabs,
  agentKilled,
  routeChanged,
  forgottenProducer,
  sdkFlushes,
  rawPost,
  stoppedUnderLoad,
  doubleFailover,
  secondAgent,
];
